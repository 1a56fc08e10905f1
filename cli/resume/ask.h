/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the point to resume at by asking the receiver.
 */
#ifndef CLI_RESUME_ASK_H
#define CLI_RESUME_ASK_H

#include "resume/position.h"
#include "resume/run.h"

/*
 * Sets ->point where --position-command says; needs the job. 0, or -1 with an error line and
 * ->code. All of a stream that is not known to be complete is a point, too: the command that takes
 * it has to say so.
 */
int resume_ask(struct resume *resume);

/*
 * A --to-command that does not look where it has to write may empty the receiver's file, or append
 * to more than is proven: it only gets a stream from its beginning. 0, or -1 with an error line.
 */
int resume_check_command(const struct options *options, u64 at);

#endif
