/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file or standard input that holds a stream, opened for a command, and the line that says how
 * reading it ended.
 */
#ifndef CLI_PARSE_FILE_H
#define CLI_PARSE_FILE_H

#include "parse/reader.h"

struct stream_file {
	/* For messages. */
	const char *name;
	struct unwrap *unwrap;
	struct stream_reader *reader;
};

/* @path may be "-". An error line and -1 if it cannot be. */
int stream_file_open(struct stream_file *file, const char *path);
void stream_file_close(struct stream_file *file);

/*
 * Once stream_next() has given NULL, or something was found wrong: 0 if the stream is whole, or an
 * error line (what is wrong, and how far it is whole) and -1. @fault (may be NULL) is what was
 * found wrong apart from what the reader knows.
 */
int stream_file_report(const struct stream_file *file, const char *fault);

#endif
