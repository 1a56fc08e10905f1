/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the stream: engines over the subvolumes, batches through the pipeline, lines into the
 * journal.
 *
 * A batch's line is in the journal before the batch goes into a pipe, and only after it is in a
 * file: so lines cover all bytes that a receiver has, and a file has all bytes that lines describe.
 * Of a stream in a container, marks describe the file, so batches' lines come first, into a file
 * too.
 */
#ifndef CLI_TRANSFER_TRANSFER_RUN_H
#define CLI_TRANSFER_TRANSFER_RUN_H

#include <sendcp/cancel.h>
#include "container/wrap.h"
#include "job/header.h"
#include "job/send_job.h"
#include "journal/write.h"
#include "transfer/output.h"
#include "transfer/progress.h"

/* The point to begin at. */
struct transfer_start {
	u32 subvolume;
	/* In that subvolume's stream; NULL: at its beginning. */
	const void *checkpoint;
	size_t checkpoint_size;
	/* The same place in the whole output. */
	u64 output_offset;
};

struct transfer {
	const struct send_job *job;
	struct output *output;
	/* NULL: the stream is not wrapped. */
	struct wrap *wrap;
	/* The last mark, or the beginning of the run: a stream in a container is resumed there. */
	struct stream_place mark;
	/* NULL: no journal. */
	struct journal *journal;
	struct progress *progress;
	struct transfer_settings settings;
	struct transfer_start start;
	/*
	 * Stops this transfer and none beside it. What it uses knows of it from transfer_attach()
	 * on; it is also set when the writing fails, so that the producer ends.
	 */
	struct sendcp_cancel cancel;
};

enum transfer_status {
	TRANSFER_COMPLETE,
	/* A signal. */
	TRANSFER_STOPPED,
	/* The engine failed: ->error. */
	TRANSFER_READ_FAILED,
	/* The output failed: ->err. */
	TRANSFER_WRITE_FAILED,
	/* The journal failed: ->err; the line about it has been printed. */
	TRANSFER_JOURNAL_FAILED,
	/* Bytes made again are not those that were sent. Only when resuming. */
	TRANSFER_DIFFERS,
};

struct transfer_result {
	enum transfer_status status;
	int err;
	struct sendcp_error error;
	/* The user's name for the subvolume that could not be read. */
	const char *what;
};

/* ->cancel, below @above, stops the source and the output too, both of which are open. */
void transfer_attach(struct transfer *run, const struct sendcp_cancel *above);
/* The source, which may stay, is stopped by what was above. */
void transfer_detach(struct transfer *run);

/*
 * Runs until the stream is complete or fails; then the output and the journal are synced.
 * ->output->offset says how much is out.
 */
void transfer_run(struct transfer *run, struct transfer_result *result);

/* The end of transfer_run() alone, for a run that ended before it. ->status says how. */
void transfer_finish(struct transfer *run, struct transfer_result *result);

/* Writes the end of a batch that is partly in the output already. 0, or -1 and ->status. */
int transfer_write_rest(struct transfer *run, const void *data, size_t size,
			struct transfer_result *result);

#endif
