/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subject of a send: the opened source, the subvolumes in their order, parents and clone
 * sources.
 *
 * The same for a first run (from the command line) and a resumed one (from the journal's header).
 * Functions print their own error line and return -1, or 0.
 */
#ifndef CLI_JOB_SEND_JOB_H
#define CLI_JOB_SEND_JOB_H

#include <sendcp/source.h>
#include "job/options.h"
#include "journal/format.h"

struct hold;

struct send_job {
	struct sendcp_source *source;
	struct sendcp_subvolume *subvolumes;
	/* Root id of each one's parent; 0: full send. */
	u64 *parents;
	size_t count;
	struct sendcp_subvolume *clone_sources;
	size_t clone_count;
	/* -c without -p: each subvolume sent joins the clone sources of those after it. */
	bool sources_grow;
	/* Root ids of the clone sources, then of the subvolumes. */
	u64 *source_ids;
	u32 protocol;
	u32 flags;
	bool one_end;
	/* Writable subvolumes may lack what is in the filesystem's log. */
	bool ignore_log;
	/* All of the above; NULL: they are not held. */
	struct hold *hold;
};

int send_job_open(const struct options *options, struct send_job *job);
/* @options may name other devices. Fails if what is there is not what was sent (identity.h). */
int send_job_reopen(const struct journal_header *header, const struct options *options,
		    struct send_job *job);
/*
 * Is @job, opened as the user named it, what @header is about? Then it gets the flags and the
 * protocol that @header says. An error line that says what is another, and -1.
 */
int send_job_adopt(const struct journal_header *header, struct send_job *job);
void send_job_close(struct send_job *job);
/*
 * Has btrfs refuse to delete or change what is sent until send_job_close(), or says with -v why
 * that cannot be had. Fails if anything was changed since it was opened. In the main thread only.
 */
int send_job_hold(struct send_job *job);

/* The engine's request for subvolume @index, and the open files. Points into @job. */
void send_job_input(const struct send_job *job, size_t index, struct sender_input *input);
/* sendcp_sender_open() for subvolume @index. */
int send_job_sender(const struct send_job *job, size_t index, const void *checkpoint,
		    size_t checkpoint_size, struct sender **out, struct sendcp_error *error);
/* sendcp_sender_engine() for the same, reading from @source, whatever @job's is. */
int send_job_engine(const struct send_job *job, struct sendcp_source *source, size_t index,
		    const void *checkpoint, size_t checkpoint_size, struct sendcp_engine **out,
		    struct sendcp_error *error);

/* Fills @header, which the caller clears, with all that a journal has to keep of @job. */
void send_job_pin(const struct send_job *job, const struct options *options,
		  struct journal_header *header);

#endif
