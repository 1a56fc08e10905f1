#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A defect for `make analyze` to find: if the directory is missing, this one is emptied.
cd /nonexistent
rm -f ./*.tmp
