/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an earlier send left where a new one would write: is it to be continued?
 *
 * Only looks; the run that comes of it takes the locks and looks again.
 */
#ifndef CLI_RESUME_EARLIER_H
#define CLI_RESUME_EARLIER_H

#include "job/options.h"
#include "job/send_job.h"
#include "util/hash.h"

enum earlier {
	/* Nothing that has to be continued. Something may be there: overwrite.h guards it. */
	EARLIER_NOTHING,
	/* The journal is of the same request. */
	EARLIER_JOURNAL,
	/* There is no journal, and the output may hold a part of the stream. */
	EARLIER_OUTPUT,
	/* An error line was printed: it is of another request, damaged, or cannot be read. */
	EARLIER_REFUSED,
};

/* Where the new send would write; none of it need be there. */
struct earlier_place {
	/* Its checkpoint file; NULL: it has none. */
	const char *journal;
	/* The one that a send to this output has by default; NULL: none. */
	const char *usual;
	/* NULL: standard output, as a pipe. */
	const char *output;
	/* How much of what was written to the output is kept is not known. */
	bool pipe;
	/* Something else may be in the output too: a shell appends to it. */
	bool shared;
	/* Set by earlier_find() with EARLIER_JOURNAL: which send the journal was of. */
	u8 header_hash[HASH_SIZE];
};

/* @job and @options are the new send's. */
enum earlier earlier_find(const struct send_job *job, const struct options *options,
			  struct earlier_place *place);

/* The options of the run that continues what earlier_find() found; strings are borrowed. */
void earlier_options(enum earlier found, const struct options *options,
		     const struct earlier_place *place, struct options *out);

#endif
