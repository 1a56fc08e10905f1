/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the stream: engines over the subvolumes, batches through the pipeline, lines into the
 * sidecar.
 *
 * A batch's line is in the sidecar before the batch goes into a pipe, and only after it is in a
 * file: what a receiver has is always covered by lines, what lines say of a file is always there.
 * Of a wrapped stream, marks say what is there, so batches' lines come first, into a file too.
 */
#ifndef CLI_TRANSFER_TRANSFER_RUN_H
#define CLI_TRANSFER_TRANSFER_RUN_H

#include "container/wrap.h"
#include "job/header.h"
#include "job/send_job.h"
#include "journal/write.h"
#include "transfer/output.h"
#include "transfer/progress.h"

/* Where to begin. */
struct stream_start {
	u32 subvolume;
	/* In that subvolume's stream; NULL: at its beginning. */
	const void *checkpoint;
	size_t checkpoint_size;
	/* The same place in the whole output. */
	u64 output_offset;
};

struct stream_run {
	const struct send_job *job;
	struct output *output;
	/* NULL: the stream is not wrapped. */
	struct wrap *wrap;
	/* The last mark, or where the run began: a wrapped stream goes on there. */
	struct sidecar_place mark;
	/* NULL: no sidecar. */
	struct journal *journal;
	struct progress *progress;
	struct stream_settings settings;
	struct stream_start start;
};

enum stream_end {
	STREAM_COMPLETE,
	/* A signal. */
	STREAM_STOPPED,
	/* The engine failed: ->error. */
	STREAM_READ_FAILED,
	/* The output failed: ->err. */
	STREAM_WRITE_FAILED,
	/* The sidecar failed: ->err; the line about it has been printed. */
	STREAM_JOURNAL_FAILED,
	/* Bytes made again are not those that were sent. Only when resuming. */
	STREAM_DIFFERS,
};

struct stream_outcome {
	enum stream_end how;
	int err;
	struct scp_error error;
	/* What the user calls the subvolume that could not be read. */
	const char *what;
};

/*
 * Runs until the stream is complete or cannot go on; then the output and the sidecar are synced.
 * Call it from the main thread. ->output->offset tells how much is out.
 */
void stream_run(struct stream_run *run, struct stream_outcome *outcome);

/* The end of stream_run() alone, for a run that ended before it. ->how says how. */
void stream_finish(struct stream_run *run, struct stream_outcome *outcome);

/* The rest of a batch that was made again; it is no batch by itself. 0, or -1: ->how says why. */
int stream_write_rest(struct stream_run *run, const void *data, size_t size,
		      struct stream_outcome *outcome);

/* XXH3-128 in canonical byte order. */
void stream_hash(const void *data, size_t size, u8 hash[SIDECAR_HASH_SIZE]);

#endif
