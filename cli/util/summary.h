/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said at the end of a run: a line when a stream is complete, or with --progress=json the
 * last object, which comes however the run ends.
 *
 * Those who know a part of it note it here. Strings are copied; without memory they are not known.
 */
#ifndef CLI_UTIL_SUMMARY_H
#define CLI_UTIL_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

/* From here on it is printed when the program exits, wherever that is. */
void summary_begin(void);

/* Paths, and the command that resumes; NULL: none. */
void summary_output(const char *path);
void summary_checkpoint(const char *path);
void summary_resume(const char *command);
/* The checkpoint file was removed. */
void summary_checkpoint_removed(void);
/* The whole stream is out: it has @bytes, for which the file or pipe has got @written. */
void summary_complete(u64 bytes, u64 written);
/* Contents of files that could not be read are replaced in it. */
void summary_replaced(u64 ranges, u64 bytes);
/* Nothing had to be sent: all of it is there. */
void summary_nothing_left(u64 bytes);

/* "4711 bytes in 8.4 s", of this run, with ", from byte N" if it was resumed; returns @text. */
char *summary_amount(char *text, size_t size);

/* The run ends with @exit_status. */
void summary_print(int exit_status);

#endif
