/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command of the user's as the output: a pipe whose reader is started, and waited for, here.
 *
 * So it is known how it ended. It is told by its environment at which byte of the output the stream
 * begins that it gets: SENDCP_OFFSET.
 */
#ifndef CLI_TRANSFER_COMMAND_OUTPUT_H
#define CLI_TRANSFER_COMMAND_OUTPUT_H

#include "transfer/transfer_run.h"

#define COMMAND_OFFSET "SENDCP_OFFSET"

/* Starts @command, which must stay, for bytes from @offset on. -1 with an error line. */
int command_output_open(struct output *output, const char *command, u64 offset);
/*
 * Closes the pipe and waits until the command has ended: if that is @overdue, or @cancel is set,
 * only some seconds (child.h). Nothing if there is none, or it has ended.
 */
void command_output_end(struct output *output, const struct sendcp_cancel *cancel, bool overdue);

/* Does @command write where it is told to? Else only what ends where it begins can be continued. */
bool command_names_offset(const char *command);

/* How the command of @run ended, as an error line. Returns whether another try may help. */
bool command_report(const struct transfer *run);
/* How to resume, after such a run or another; the last line is the command that does. Returns 75. */
int command_report_resume(const struct transfer *run, const struct options *options);
/* The same after a failure that somebody has to mend. Returns 1. */
int command_report_later(const struct transfer *run, const struct options *options);

#endif
