/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that resumes a transfer, as a line for a shell.
 *
 * Paths are absolute and quoted. Functions return malloc'ed text and exit without memory.
 */
#ifndef CLI_JOB_RESUME_COMMAND_H
#define CLI_JOB_RESUME_COMMAND_H

#include "job/options.h"

/*
 * With the journal @checkpoint. @options (may be NULL) of a resume: its --device options are
 * repeated, and the file that -f or --append named is named by -f.
 */
char *resume_command(const char *checkpoint, const struct options *options);
/*
 * With the journal @checkpoint and --append @file; @file NULL: the word FILE, which is to be
 * replaced. @devices (may be NULL): their --device options are repeated.
 */
char *resume_command_append(const char *checkpoint, const struct options *devices,
			    const char *file);
/*
 * Takes over @line and adds what @options say of the command that the stream goes to, and of the
 * rate: the journal has none of these.
 */
char *resume_command_flow(char *line, const struct options *options);
/*
 * Takes over @line and adds a command that says how much is in @file; NULL: the word COMMAND, which
 * is to be replaced.
 */
char *resume_command_ask(char *line, const char *file);
/* Without a journal: the arguments are those in @options, of the interrupted command. */
char *resume_command_alone(const struct options *options, const char *file);

#endif
