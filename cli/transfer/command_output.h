/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command of the user's as the output: a pipe whose reader is started, and waited for, here.
 *
 * So it is known how it ended. In its environment, SENDCP_OFFSET is the byte of the output at which
 * the stream begins that it gets.
 */
#ifndef CLI_TRANSFER_COMMAND_OUTPUT_H
#define CLI_TRANSFER_COMMAND_OUTPUT_H

#include "transfer/transfer_run.h"

#define COMMAND_OFFSET "SENDCP_OFFSET"

/* Starts @command, which must stay, for bytes from @offset on. -1 with an error line. */
int command_output_open(struct output *output, const char *command, u64 offset);
/*
 * Closes the pipe and waits until the command has ended: only for some seconds (child.h) if that is
 * @overdue, or when @cancel is set. Nothing if there is none, or it has ended.
 */
void command_output_end(struct output *output, const struct sendcp_cancel *cancel, bool overdue);

/* Does @command look where it has to write? Else it may only get a stream from its beginning. */
bool command_names_offset(const char *command);

/* How the command of @run ended, as an error line. Returns whether another try may help. */
bool command_report(const struct transfer *run);
/* How to resume, after such a run or another; the last line is the command. Returns 75. */
int command_report_resume(const struct transfer *run, const struct options *options);
/* The same after a failure that somebody has to mend. Returns 1. */
int command_report_later(const struct transfer *run, const struct options *options);

#endif
