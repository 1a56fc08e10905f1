/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An existing stream, compared command by command with those that the engine would make.
 *
 * Contents of files are not read: of a command with contents, their place and length is compared,
 * and its checksum is right. The result is a journal's batches, as if sendcp had sent the stream.
 * Functions print their own error lines and return -1, or 0.
 */
#ifndef CLI_RESUME_APPEND_MATCH_H
#define CLI_RESUME_APPEND_MATCH_H

#include "job/send_job.h"
#include "parse/reader.h"
#include "resume/append/match_batches.h"

struct match {
	/* For messages. */
	const char *name;
	/* Protocol and flags are set by what the stream shows. */
	struct send_job *job;
	struct stream_reader *reader;
	struct match_batches batches;
	struct sendcp_engine *engine;
	size_t index;
	/* A flag was found out on the way: all of it is to be done again. */
	bool again;
	/* By a signal: no error line was printed. */
	bool stopped;
	/* End of the part that agrees. */
	u64 agreed;
	/* The engine's last command, without contents. */
	u8 *head;
	size_t capacity;
	u32 known;
	u32 length;
};

/* ->batches and ->agreed say what is there; 0 also if the stream is cut or damaged after that. */
int match_stream(struct match *match);

/*
 * Makes the batches of the last bytes again: their contents are those of the stream. The engine's
 * part of the walk is proven by that.
 */
int match_prove(struct match *match, const struct journal_contents *contents);

/* Says how @command differs from match->head, which the engine makes there. Returns -1. */
int match_difference(const struct match *match, const struct stream_command *command);
#endif
