/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sendcp's commands, each in a child process that was forked and not executed: some hundred a
 * second, where the program's start would take most of the time.
 */
#ifndef TEST_CORRUPTION_COMMAND_H
#define TEST_CORRUPTION_COMMAND_H

#include "cases.h"

#define COMMAND_OUTPUT (256u << 10)

struct command_result {
	/* Exit status; -1: killed, or a sanitizer's report: ->err has it. */
	int status;
	/* What a reader of its standard output got, which is a pipe. */
	u8 out[COMMAND_OUTPUT];
	size_t out_size;
	char err[COMMAND_OUTPUT];
	/* It needed more than CASE_MEMORY_MAX. */
	bool memory;
};

/* Bytes of a file, or of what a command wrote. */
struct content {
	u8 bytes[COMMAND_OUTPUT];
	size_t size;
};

/* Runs "sendcp WORDS...", up to a NULL. */
void command_run(struct command_result *result, ...);

/* Whole files; a missing one is empty, any other error ends the program. */
void content_read(struct content *content, const char *path);
void content_write(const struct content *content, const char *path);
bool content_equal(const struct content *a, const struct content *b);

#endif
