/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream on its way into a file or pipe that holds it wrapped.
 *
 * Bytes that complete a frame or member are held back until wrap_release(): the caller first learns
 * where that will end (wrap_place()), so that a journal can describe it before a reader has it.
 * Functions return 0 or a negative errno; after a failure nothing more can be wrapped, and the
 * output can only be resumed at the last mark.
 */
#ifndef CLI_CONTAINER_WRAP_H
#define CLI_CONTAINER_WRAP_H

#include "container/sink.h"
#include "journal/format.h"

struct wrap;

/*
 * Wraps into @below as @header says, from @at on, which is where @below is. Both must stay; *@out
 * is NULL for a plain stream.
 */
int wrap_open(const struct journal_header *header, struct sink *below,
	      const struct stream_place *at, struct wrap **out);
/* Bytes that were not released are lost. NULL is taken. */
void wrap_free(struct wrap *wrap);

/* @line is the journal's about @data; archives keep it. */
int wrap_batch(struct wrap *wrap, const void *data, size_t size, const char *line, size_t length);
/* Bytes that are no batch of their own; not for archives. */
int wrap_bytes(struct wrap *wrap, const void *data, size_t size);
/* All that was wrapped shall be whole frames and members. */
int wrap_cut(struct wrap *wrap);
/* End of all bytes that wrap_release() will have given out. */
void wrap_place(const struct wrap *wrap, struct stream_place *place);
int wrap_release(struct wrap *wrap);
/* The stream is complete; @line is the journal's that says so. Is cut and released. */
int wrap_finish(struct wrap *wrap, const char *line, size_t length);
/* Memory was what the compression lacked: it was no failure of the output. */
bool wrap_starved(const struct wrap *wrap);

#endif
