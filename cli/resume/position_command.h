/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the receiver how much it has, by a command of the user's.
 */
#ifndef CLI_RESUME_POSITION_COMMAND_H
#define CLI_RESUME_POSITION_COMMAND_H

#include "resume/position.h"

/* What a receiver has. */
struct receiver {
	/* With a proof; else only ->position.file is set, the number of its bytes. */
	bool proven;
	struct position position;
};

enum position_answer {
	POSITION_KNOWN,
	/* No answer, or none that means anything: another try may help. */
	POSITION_UNKNOWN,
	/* The command cannot be run. */
	POSITION_NO_COMMAND,
};

/* Runs @command; prints an error line if the answer is not known, unless a signal ended that. */
enum position_answer position_ask(const char *command, struct receiver *receiver);
/* The answer that @text, with a newline or without, is. False: it is none. */
bool position_answer_parse(const char *text, size_t size, struct receiver *receiver);

#endif
