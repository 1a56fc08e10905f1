// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of zstd, one after the other, skippable ones passed over; it is noted where each ends.
 *
 * Memory is the decoder's window, which libzstd limits to 128 MiB even if a frame asks for more.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "container/internal.h"
#include "util/alloc.h"
#include "util/memory.h"

#define INPUT_SIZE (128u << 10)
#define MAGIC_SIZE 4u
/* Larger ones libzstd does not take unless it is asked to. */
#define WINDOW_MAX (128ULL << 20)

struct zstd_layer {
	struct input *input;
	ZSTD_DStream *stream;
	/* Bytes that the decoder took. */
	u64 taken;
	u64 made;
	/* The frame that is being read, or that comes next. */
	u64 frame_start;
	bool in_frame;
	/* The largest window of a frame so far: there was memory for it. */
	u64 window;
	struct unwrap_place whole;
	ZSTD_inBuffer in;
	u8 buffer[INPUT_SIZE];
};

/* A frame, or one of the sixteen kinds of skippable frame. */
bool unwrap_zstd_begun(const u8 *bytes, size_t size)
{
	static const u8 frame[MAGIC_SIZE] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const u8 skippable[MAGIC_SIZE] = { 0x50, 0x2a, 0x4d, 0x18 };

	size = sendcp_min(size, (size_t)MAGIC_SIZE);
	if (!size)
		return false;
	return !memcmp(bytes, frame, size) ||
	       ((bytes[0] & 0xf0) == skippable[0] && !memcmp(bytes + 1, skippable + 1, size - 1));
}

bool zstd_recognise(const u8 *bytes, size_t size)
{
	return size >= MAGIC_SIZE && unwrap_zstd_begun(bytes, size);
}

struct zstd_layer *zstd_layer_new(struct input *input, const u8 *front, size_t size)
{
	struct zstd_layer *layer = xmalloc(sizeof(*layer));

	memset(layer, 0, offsetof(struct zstd_layer, buffer));
	layer->stream = xobject(ZSTD_createDStream());
	layer->input = input;
	memcpy(layer->buffer, front, size);
	layer->in = (ZSTD_inBuffer){ .src = layer->buffer, .size = size };
	return layer;
}

void zstd_layer_free(struct zstd_layer *layer)
{
	if (layer)
		ZSTD_freeDStream(layer->stream);
	free(layer);
}

/* The least bytes of a frame that say what its window is. */
#define HEADER_MAX 18u

/* The window of the frame that begins with @bytes, HEADER_MAX of them; 0: it is no such frame. */
static u64 frame_window(const u8 *bytes)
{
	static const u8 id_sizes[] = { 0, 1, 2, 4 };
	const u8 descriptor = bytes[MAGIC_SIZE], size_kind = descriptor >> 6;
	const u8 *size = bytes + MAGIC_SIZE + 1 + id_sizes[descriptor & 3];
	const u8 window = bytes[MAGIC_SIZE + 1];

	if (sendcp_get_le32(bytes) != ZSTD_MAGICNUMBER)
		return 0;
	if (!(descriptor & 0x20))
		return (8ULL + (window & 7)) << (7 + (window >> 3));
	/* The contents are a single segment, and as long as this says. */
	if (size_kind < 2)
		return 1ULL << 16;
	return sendcp_get_le32(size) | (size_kind == 3 ? (u64)sendcp_get_le32(size + 4) << 32 : 0);
}

static void no_memory_for(struct zstd_layer *layer, u64 window, u64 left)
{
	unwrap_end(layer->input->ending, UNWRAP_FAILED, "out of memory: unpacking the zstd frame "
		   "at byte %llu of the file needs %llu MiB, and %llu MiB are available",
		   layer->frame_start, memory_mib(window), memory_mib(left));
}

/*
 * The decoder takes a window whose pages a cgroup or the machine may not have; then it would be
 * killed in the frame's middle. Those that are larger than libzstd takes are left to it.
 */
static bool window_fits(struct zstd_layer *layer)
{
	const u8 *bytes = (const u8 *)layer->in.src + layer->in.pos;
	u64 window, left;

	if (layer->in_frame || layer->in.size - layer->in.pos < HEADER_MAX)
		return true;
	window = frame_window(bytes);
	if (window <= layer->window || window > WINDOW_MAX)
		return true;
	left = memory_left();
	if (window > left) {
		no_memory_for(layer, window, left);
		return false;
	}
	layer->window = window;
	return true;
}

static void report_error(struct zstd_layer *layer, size_t code)
{
	struct unwrap_ending *ending = layer->input->ending;

	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_prefix_unknown:
		unwrap_end(ending, UNWRAP_DAMAGED, "there is no zstd frame at byte %llu of the "
			   "file", layer->frame_start);
		ending->foreign = layer->frame_start;
		break;
	case ZSTD_error_frameParameter_windowTooLarge:
		unwrap_end(ending, UNWRAP_FAILED, "the zstd frame at byte %llu of the file needs "
			   "more than 128 MiB of memory: unpack it with zstd -dc --long=31",
			   layer->frame_start);
		break;
	case ZSTD_error_memory_allocation:
		unwrap_end(ending, UNWRAP_FAILED, "out of memory for unpacking the zstd frame at "
			   "byte %llu of the file", layer->frame_start);
		break;
	default:
		unwrap_end(ending, UNWRAP_DAMAGED, "the zstd frame at byte %llu of the file is "
			   "damaged (%s)", layer->frame_start, ZSTD_getErrorName(code));
	}
}

/* False: the input has ended. A frame it ends in is cut. */
static bool refill(struct zstd_layer *layer)
{
	struct unwrap_ending *ending = layer->input->ending;
	size_t got;

	if (layer->in.pos < layer->in.size)
		return true;
	got = input_read(layer->input, layer->buffer, INPUT_SIZE);
	layer->in = (ZSTD_inBuffer){ .src = layer->buffer, .size = got };
	if (!got && layer->in_frame && ending->how == UNWRAP_COMPLETE) {
		ending->how = UNWRAP_CONTINUES;
		unwrap_end(ending, UNWRAP_TRUNCATED, "the zstd frame at byte %llu of the file is "
			   "truncated at byte %llu", layer->frame_start, layer->taken);
	}
	return got;
}

static void note_frame_end(struct zstd_layer *layer)
{
	layer->in_frame = false;
	layer->frame_start = layer->taken;
	layer->whole = (struct unwrap_place){ .file = layer->taken, .plain = layer->made };
}

/* One turn of the decoder. False: an error, which the ending has. */
static bool turn(struct zstd_layer *layer, ZSTD_outBuffer *out)
{
	size_t in_before = layer->in.pos;
	size_t out_before = out->pos;
	size_t ret;

	if (!window_fits(layer))
		return false;
	ret = ZSTD_decompressStream(layer->stream, out, &layer->in);
	if (ZSTD_isError(ret)) {
		report_error(layer, ret);
		return false;
	}
	layer->taken += layer->in.pos - in_before;
	layer->made += out->pos - out_before;
	if (layer->in.pos > in_before)
		layer->in_frame = true;
	if (!ret && layer->in_frame)
		note_frame_end(layer);
	return true;
}

/* The decoder may hold output that needs no more input: only without such is more read. */
size_t zstd_layer_read(struct zstd_layer *layer, void *buffer, size_t size)
{
	ZSTD_outBuffer out = { .dst = buffer, .size = size };

	while (layer->input->ending->how == UNWRAP_CONTINUES) {
		if (layer->in_frame && layer->in.pos == layer->in.size && !turn(layer, &out))
			break;
		if (out.pos || !refill(layer))
			break;
		if (!turn(layer, &out) || out.pos)
			break;
	}
	return out.pos;
}

struct unwrap_place zstd_layer_whole(const struct zstd_layer *layer)
{
	return layer->whole;
}

/* Without space for output the decoder runs to the frame's end, or to where there is output. */
void zstd_layer_settle(struct zstd_layer *layer)
{
	u8 nothing;
	ZSTD_outBuffer out = { .dst = &nothing, .size = 0 };
	u64 before = ~0ULL;

	while (layer->in_frame && before != layer->taken &&
	       layer->input->ending->how == UNWRAP_CONTINUES && refill(layer)) {
		before = layer->taken;
		if (!turn(layer, &out))
			break;
	}
}
