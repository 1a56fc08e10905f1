/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of unwrapping: input (file or pipe), zstd above it if there is any, an archive above
 * that if there is any. Each pulls from the one below.
 *
 * A read returns how many bytes there are, 0 at the end; the layer's ending then says which. An
 * ending is final.
 */
#ifndef CLI_CONTAINER_INTERNAL_H
#define CLI_CONTAINER_INTERNAL_H

#include "container/unwrap.h"

/* Enough to recognise every kind: a tar header's magic begins at its byte 257. */
#define HEAD_SIZE 512u

struct input {
	int fd;
	bool owned;
	/* A signal that asks to stop ends it. */
	bool stops;
	/* Bytes read so far. */
	u64 offset;
	struct unwrap_ending *ending;
};

struct zstd_layer;
struct archive_layer;

struct unwrap {
	struct input input;
	enum unwrap_kind kind;
	bool recognised;
	/* Of input and zstd. */
	struct unwrap_ending inner;
	/* Of the whole. */
	struct unwrap_ending ending;
	unwrap_member_fn on_member;
	void *member_context;
	/* NULL unless it is. */
	struct zstd_layer *zstd;
	struct archive_layer *archive;
	/* The beginning, read for recognising it; those before head_from were handed on. */
	u8 head[HEAD_SIZE];
	size_t head_from;
	size_t head_filled;
	/* Bytes handed on by unwrap_inner_read(), and by unwrap_read(). */
	u64 inner_offset;
	u64 plain_offset;
};

/* Sets @ending unless it is final already. */
void unwrap_end(struct unwrap_ending *ending, enum unwrap_how how, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* input.c */
int input_open(struct input *input, const char *path);
void input_close(struct input *input);
size_t input_read(struct input *input, void *buffer, size_t size);

/*
 * unwrap.c: reads from the layers below the archive, with the head in front. Never more than one
 * zstd frame's bytes.
 */
size_t unwrap_inner_read(struct unwrap *unwrap, void *buffer, size_t size);

/* zstd.c; @front (at most HEAD_SIZE bytes) was read from @input already. */
struct zstd_layer *zstd_layer_new(struct input *input, const u8 *front, size_t size);
void zstd_layer_free(struct zstd_layer *layer);
bool zstd_recognise(const u8 *bytes, size_t size);
size_t zstd_layer_read(struct zstd_layer *layer, void *buffer, size_t size);
/* End of the last frame that ended: bytes of the file, and plain bytes. */
struct unwrap_place zstd_layer_whole(const struct zstd_layer *layer);
/* If all that came out is all of a frame, then that frame has ended when this returns. */
void zstd_layer_settle(struct zstd_layer *layer);

/* archive.c */
struct archive_layer *archive_layer_new(struct unwrap *unwrap, bool cpio);
void archive_layer_free(struct archive_layer *layer);
bool archive_recognise_tar(const u8 *bytes, size_t size);
bool archive_recognise_cpio(const u8 *bytes, size_t size);
size_t archive_layer_read(struct archive_layer *layer, void *buffer, size_t size);
struct unwrap_place archive_layer_whole(const struct archive_layer *layer);

#endif
