/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The point where an interrupted stream is resumed: from the user, from the journal, or from the
 * contents of a file.
 *
 * Functions print their own error line and return -1, or 0. Points refer to the journal's batches.
 */
#ifndef CLI_RESUME_POINT_H
#define CLI_RESUME_POINT_H

#include <sendcp/stream.h>

#include "journal/format.h"
#include "transfer/output.h"
#include "transfer/transfer_run.h"

struct resume_point {
	/* The first byte that is given out. */
	struct stream_place at;
	/* The batch in whose middle that is, and where making it again begins; NULL: at an edge. */
	const struct journal_batch *proof;
	struct transfer_start before;
	/* After ->proof, or at ->at. */
	struct transfer_start start;
};

/* Nothing is left to be sent. */
bool resume_point_complete(const struct journal_contents *contents,
			   const struct resume_point *point);

/* The number of batches that begin before byte @at of the stream. */
size_t resume_point_batches_before(const struct journal_contents *contents, u64 at);
/*
 * Batch @index, to be regenerated (resume_point_make()). False: the checkpoint before it was
 * thinned out.
 */
bool resume_point_batch(const struct journal_contents *contents, size_t index,
			struct resume_point *point);
/* Byte @at of the stream. */
int resume_point_stream(const struct journal_contents *contents, u64 at,
			struct resume_point *point);
/*
 * The receiver has exactly @at bytes; more than were ever written are refused. Returns 1 if that is
 * all there is.
 */
int resume_point_at(const struct journal_contents *contents, u64 at, struct resume_point *point);
/* The same for one that can overwrite its last bytes: @point is at the last possible place. */
int resume_point_before(const struct journal_contents *contents, u64 at,
			struct resume_point *point);
/*
 * As far as the file is proven, and not beyond its byte @limit: its batches of the last checkpoint
 * interval have the hashes that the journal knows. Returns 1 if nothing is proven; then @point is
 * the beginning, and whether the file may be emptied is another question (prefix.h).
 */
int resume_point_file(const struct journal_contents *contents, const struct output *file, u64 limit,
		      struct resume_point *point);

/* The same for streams in containers, which are resumed at marks (container_points.c). */
int resume_container_at(const struct journal_contents *contents, u64 at,
			struct resume_point *point);
/*
 * The place at or before byte @at of the file where it can be resumed. @at itself if there is none:
 * old lines are dropped.
 */
u64 resume_container_before(const struct journal_contents *contents, u64 at);
int resume_container_file(const struct journal_contents *contents, const struct output *file,
			  u64 limit, struct resume_point *point);

/*
 * Are @contents's marks up to @at those of @file? Returns 1 if they are or if there are none, 0 if
 * they are of another file, -1 with an error line.
 */
int resume_container_marks(const struct journal_contents *contents, const struct output *file,
			   const struct stream_place *at);

/*
 * Makes the batch that ->proof is about again, compares its hash, and writes the bytes after ->at.
 * Fills @result and returns -1 when the stream cannot be resumed there; 0 if there is no proof to
 * give.
 */
int resume_point_prove(const struct resume_point *point, struct transfer *run,
		       struct transfer_result *result);

/* Why a batch may be another now. */
const char *resume_point_why(const struct send_job *job);

/* So much more memory than a batch has is needed to make it again. */
#define RESUME_PROOF_ROOM SENDCP_COMMAND_MAX_V2

/*
 * Makes the batch that ->proof is about again, into @data, which has space for it and
 * RESUME_PROOF_ROOM, and compares its hash. -1 and @result if it cannot be made, or is another
 * (TRANSFER_DIFFERS).
 */
int resume_point_make(const struct resume_point *point, const struct send_job *job,
		      const struct sendcp_cancel *cancel, u8 *data, struct transfer_result *result);

#endif
