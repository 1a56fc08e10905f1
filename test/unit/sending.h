/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams made from an image in memory, whole or piece by piece.
 */
#ifndef TEST_UNIT_SENDING_H
#define TEST_UNIT_SENDING_H

#include <sendcp/engine.h>
#include "image.h"

/* An image, opened, and the requests that tests of it are repeated for. */
struct sending {
	struct image *image;
	struct image_host host;
	struct sendcp_volume *volume;
	const struct sendcp_request *requests;
	u32 request_count;
};

/* For cmocka's group setup and teardown; *@state becomes a struct sending. */
int sending_setup_tiny(void **state);
int sending_setup_links(void **state);
/* Incremental sends; of directories that wait to be moved or removed. */
int sending_setup_changes(void **state);
int sending_setup_moves(void **state);
int sending_teardown(void **state);
/* The same image opened once more, with a host and caches of its own. */
void sending_open_again(struct sending *again, const struct sending *sending);
void sending_close_again(struct sending *again);

struct bytes {
	u8 *data;
	size_t size;
	size_t capacity;
};

void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_free(struct bytes *bytes);
void assert_bytes_equal(const struct bytes *a, const struct bytes *b);

/* A full send of IMAGE_SNAP. */
struct sendcp_request request_of(u32 protocol, u32 flags);

struct sendcp_engine *open_engine(const struct sending *sending,
				  const struct sendcp_request *request);
/* A fresh engine where the checkpoint is. */
struct sendcp_engine *rearmed_engine(const struct sending *sending,
				     const struct sendcp_request *request,
				     const struct bytes *checkpoint);
void take_checkpoint(struct sendcp_engine *engine, struct bytes *checkpoint);
/* One fill call with a buffer of @size bytes; appends to @stream. Returns what fill returned. */
int fill_once(struct sendcp_engine *engine, size_t size, u32 flags, struct bytes *stream,
	      bool *end);
/* Fills to the end; every call must succeed. */
void fill_to_end(struct sendcp_engine *engine, size_t size, u32 flags, struct bytes *stream);
/* The whole stream in one run. */
void whole_stream(const struct sending *sending, const struct sendcp_request *request,
		  struct bytes *stream);

/*
 * @stream with adjoining WRITEs merged and without checksums, so that it can be compared with a
 * stream whose WRITEs were broken at other places.
 */
void merge_writes(const struct bytes *stream, u32 protocol, struct bytes *out);

#endif
