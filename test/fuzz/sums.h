/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of JSON with their checksums put right, so that the code after the checksums is reached.
 */
#ifndef TEST_FUZZ_SUMS_H
#define TEST_FUZZ_SUMS_H

#include <stddef.h>

/* No line becomes longer by more than this. */
#define SUMS_ROOM 36

/* Copies the lines at @in to @out, which has space for @max bytes; returns the bytes there. */
size_t sums_put_lines(const char *in, size_t size, char *out, size_t max);

#endif
