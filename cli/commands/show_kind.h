/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that was taken for a checkpoint file: what it is, and how to see what is in it.
 */
#ifndef CLI_COMMANDS_SHOW_KIND_H
#define CLI_COMMANDS_SHOW_KIND_H

/* 0: nothing that is known to be something else. Otherwise an error line, and -1. */
int show_kind_check(const char *path);

#endif
