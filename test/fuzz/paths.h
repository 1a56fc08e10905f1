/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files of the fuzz targets that run code on files. Any error ends the program.
 */
#ifndef TEST_FUZZ_PATHS_H
#define TEST_FUZZ_PATHS_H

#include <stddef.h>
#include <sendcp/platform.h>

/* The first @room bytes of a file to @to; returns how many there are. */
size_t read_path(const char *path, u8 *to, size_t room);
void write_path(const char *path, const void *data, size_t size);

#endif
