/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what the user asks for now the stream that an earlier run began?
 *
 * Subvolumes are compared by what identifies them (UUID, id, transaction), not by their paths.
 * Sizes of buffers, intervals and the backend make no other stream.
 */
#ifndef CLI_JOB_SAME_REQUEST_H
#define CLI_JOB_SAME_REQUEST_H

#include "job/options.h"
#include "job/send_job.h"
#include "journal/format.h"

/*
 * What differs between @header and @job in the filesystem, the subvolumes, their parents and their
 * clone sources, as a malloc'ed text for people; NULL: nothing does. Exits without memory.
 */
char *request_other_subvolumes(const struct journal_header *header, const struct send_job *job);

/* The same for the kind of stream and its container, too; @options are those of the new send. */
char *request_difference(const struct journal_header *header, const struct send_job *job,
			 const struct options *options);

/* The value of --on-data-error that gives these flags of a request. */
const char *data_error_name(u32 flags);

#endif
