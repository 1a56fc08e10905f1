/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards files that a new send would overwrite: none that could still be resumed is overwritten,
 * unless asked to.
 *
 * Functions print why, and how to resume or to throw away, and return -1; or 0.
 */
#ifndef CLI_RESUME_OVERWRITE_H
#define CLI_RESUME_OVERWRITE_H

#include "job/options.h"
#include "journal/format.h"
#include "transfer/output.h"

/* The journal @path, which says @old. A complete one, or one without any batch, may go. */
int overwrite_journal(const char *path, const struct journal_contents *old);

/*
 * The regular file @output. An empty one may go, and a complete plain stream, as with btrfs send.
 * Whether a compressed one is complete only reading all of it could say. @checkpoint: the journal
 * of a send to @output that was interrupted before its first batch was noted, or NULL.
 */
int overwrite_output(const struct output *output, const struct options *options,
		     const char *checkpoint);

/* Does @path begin as a plain stream? *@complete: its last command is END. */
bool overwrite_is_stream(const char *path, bool *complete);

#endif
