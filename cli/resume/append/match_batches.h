/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches for a journal, made of a stream that passes by.
 */
#ifndef CLI_RESUME_APPEND_MATCH_BATCHES_H
#define CLI_RESUME_APPEND_MATCH_BATCHES_H

#include <sendcp/engine.h>

#include "journal/format.h"

struct match_batches {
	/* Only its batches; old ones go when enough newer ones are there. */
	struct journal_contents *contents;
	/* A batch ends when the next command would make it longer. */
	u32 size;
	struct hash hash;
	/* The commands since the last batch ended. */
	struct journal_batch open;
};

/* Empties @contents's list. match_batches_end() afterwards. */
void match_batches_begin(struct match_batches *batches, struct journal_contents *contents,
			 u32 size);
void match_batches_end(struct match_batches *batches);

/* The next command, which @engine has passed over. */
void match_batches_command(struct match_batches *batches, const void *bytes, u32 size);
/* Does a batch have to end before a command of @size bytes? */
bool match_batches_full(const struct match_batches *batches, u32 size);
/* Ends a batch where @engine is. @last: its subvolume is complete. -1 with an error line. */
int match_batches_close(struct match_batches *batches, struct sendcp_engine *engine, bool last);

#endif
