// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compressing into frames of zstd.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
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
	bool starved;
};

#define MIB (1ULL << 20)
/* Of a thread that libzstd starts; it takes addresses, if not pages. */
#define STACK_SIZE (8 * MIB)

/* Of each level, from 1 on: a context in MiB, and the window that is a part of it. */
static const struct {
	unsigned short context;
	unsigned char window_log;
} levels[] = {
	{ 2, 19 }, { 3, 20 }, { 4, 21 }, { 5, 21 }, { 6, 21 }, { 6, 21 }, { 9, 21 }, { 9, 21 },
	{ 17, 22 }, { 29, 22 }, { 29, 22 }, { 53, 22 }, { 37, 22 }, { 53, 22 }, { 69, 22 },
	{ 37, 22 }, { 57, 23 }, { 58, 23 }, { 90, 23 }, { 194, 25 }, { 386, 26 }, { 778, 27 },
};

/*
 * libzstd tells the size of a context only when there is one, and of threads only when they have
 * worked: so these are the sizes of its levels (test_wrap_memory.c compares them). A job of a
 * thread is four windows; there is an input of each thread and three more, and outputs likewise.
 */
unsigned long long frames_memory(int level, unsigned int workers)
{
	size_t count = sizeof(levels) / sizeof(levels[0]);
	size_t index = (size_t)level <= count ? (size_t)level - 1 : count - 1;
	unsigned long long context = levels[index].context * MIB;
	unsigned long long window = 1ULL << levels[index].window_log;

	if (!workers)
		return context;
	return (2ULL * workers + 5) * 4 * window + workers * (context - window + STACK_SIZE) +
	       2 * MIB;
}

/* Compresses @in, or ends the frame; *@left is 0 when nothing is held back any more. */
static int compress_some(struct frames *frames, ZSTD_inBuffer *in, ZSTD_EndDirective what,
			 size_t *left)
{
	ZSTD_outBuffer out = { .dst = frames->buffer, .size = frames->capacity };

	*left = ZSTD_compressStream2(frames->context, &out, in, what);
	if (ZSTD_isError(*left)) {
		frames->starved = ZSTD_getErrorCode(*left) == ZSTD_error_memory_allocation;
		return frames->starved ? -ENOMEM : -EIO;
	}
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
static int set_parameters(struct frames *frames, int level, unsigned int workers)
{
	if (ZSTD_isError(ZSTD_CCtx_setParameter(frames->context, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(frames->context, ZSTD_c_checksumFlag, 1)))
		return -EINVAL;
	if (workers)
		ZSTD_CCtx_setParameter(frames->context, ZSTD_c_nbWorkers, (int)workers);
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

int frames_open(int level, unsigned int workers, struct sink *below, struct frames **out)
{
	struct frames *frames = xcalloc(1, sizeof(*frames));
	int ret;

	*out = NULL;
	frames->sink.write = frames_write;
	frames->below = below;
	frames->capacity = ZSTD_CStreamOutSize();
	frames->buffer = xmalloc(frames->capacity);
	frames->context = xobject(new_context());
	ret = set_parameters(frames, level, workers);
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

bool frames_starved(const struct frames *frames)
{
	return frames->starved;
}
