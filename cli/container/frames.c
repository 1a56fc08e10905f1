// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compressing into frames of zstd.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "container/frames.h"
#include "util/alloc.h"

/* Of the interface for static linking; where a shared library lacks it, it is done without. */
#pragma weak ZSTD_createCCtx_advanced

struct frames {
	struct sink sink;
	struct sink *below;
	ZSTD_CCtx *context;
	void *buffer;
	size_t capacity;
	/* A frame has begun; an empty one would be nothing but bytes. */
	bool open;
};

/* Compresses @in, or ends the frame; *@left is 0 when nothing is held back any more. */
static int compress_some(struct frames *frames, ZSTD_inBuffer *in, ZSTD_EndDirective what,
			 size_t *left)
{
	ZSTD_outBuffer out = { .dst = frames->buffer, .size = frames->capacity };

	*left = ZSTD_compressStream2(frames->context, &out, in, what);
	if (ZSTD_isError(*left))
		return ZSTD_getErrorCode(*left) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
	return out.pos ? frames->below->write(frames->below, frames->buffer, out.pos) : 0;
}

static int frames_write(struct sink *sink, const void *data, size_t size)
{
	/* The sink is the first member. */
	struct frames *frames = (struct frames *)sink;
	ZSTD_inBuffer in = { .src = data, .size = size };
	size_t left;
	int ret = 0;

	while (!ret && in.pos < in.size) {
		frames->open = true;
		ret = compress_some(frames, &in, ZSTD_e_continue, &left);
	}
	return ret;
}

int frames_end(struct frames *frames)
{
	ZSTD_inBuffer in = { .src = "" };
	size_t left = 1;
	int ret = 0;

	while (!ret && frames->open && left)
		ret = compress_some(frames, &in, ZSTD_e_end, &left);
	if (!ret)
		frames->open = false;
	return ret;
}

/* A libzstd without threads refuses their number and does all by itself. */
static int set_parameters(struct frames *frames, int level)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (ZSTD_isError(ZSTD_CCtx_setParameter(frames->context, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(frames->context, ZSTD_c_checksumFlag, 1)))
		return -EINVAL;
	if (processors > 1)
		ZSTD_CCtx_setParameter(frames->context, ZSTD_c_nbWorkers, (int)processors);
	return 0;
}

/* With threads, libzstd 1.5 reads what it had no memory for. */
static void *allocate(void *unused, size_t size)
{
	return xmalloc(size);
}

static void release(void *unused, void *memory)
{
	free(memory);
}

static ZSTD_CCtx *new_context(void)
{
	const ZSTD_customMem memory = { allocate, release, NULL };

	return ZSTD_createCCtx_advanced ? ZSTD_createCCtx_advanced(memory) : ZSTD_createCCtx();
}

int frames_open(int level, struct sink *below, struct frames **out)
{
	struct frames *frames = xcalloc(1, sizeof(*frames));
	int ret;

	*out = NULL;
	frames->sink.write = frames_write;
	frames->below = below;
	frames->capacity = ZSTD_CStreamOutSize();
	frames->buffer = xmalloc(frames->capacity);
	frames->context = xobject(new_context());
	ret = set_parameters(frames, level);
	if (ret) {
		frames_free(frames);
		return ret;
	}
	*out = frames;
	return 0;
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	ZSTD_freeCCtx(frames->context);
	free(frames->buffer);
	free(frames);
}

struct sink *frames_sink(struct frames *frames)
{
	return &frames->sink;
}
