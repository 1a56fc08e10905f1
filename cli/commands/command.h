/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands' entry points.
 */
#ifndef CLI_COMMANDS_COMMAND_H
#define CLI_COMMANDS_COMMAND_H

#include "commands/options.h"
#include "resume/run.h"

int command_send(const struct options *options);
int command_resume(const struct options *options);
int command_show(const struct options *options);
int command_verify(const struct options *options);
int command_dump(const struct options *options);
int command_cat(const struct options *options);
int command_list(const struct options *options);
int command_info(const struct options *options);

/*
 * resume --checkpoint, once, with the journal that was opened. @kept (may be NULL) gets the job of
 * one that was interrupted, if it holds snapshots, in place of the one before.
 */
int resume_opened(struct resume *resume, struct send_job *kept);
/* resume --checkpoint with --to-command: again and again, as long as --retry says. */
int retry_resume(const struct options *options);
/*
 * After a send with --to-command ended with @code, whose journal @checkpoint is, likewise. Returns
 * the exit code of the last try.
 */
int retry_send(const struct options *options, const char *checkpoint, int code);

#endif
