// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walking through a file of zstd frames, block by block (RFC 8878).
 *
 * libzstd decompresses, but does not report where blocks begin and end; their headers do: three
 * bytes each, and the bytes between frames are as simple.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "resume/append/blocks.h"
#include "resume/append/cuts.h"

#define FRAME_MAGIC 0xfd2fb528u
#define SKIPPABLE_MAGIC 0x184d2a50u
#define FRAME_HEADER_MIN 6
#define FRAME_HEADER_MAX 18
#define BLOCK_HEADER 3
#define BLOCK_MAX (128u << 10)
#define SUM_SIZE 4
#define WINDOW (1u << 20)
#define SECTOR 512
/*
 * Blocks without contents one after the other, the last of a frame aside. No program writes so
 * many; zeros that a crash or preallocation left read as such blocks, without end.
 */
#define EMPTY_MAX 1024u

struct walk {
	int fd;
	blocks_take_fn take;
	void *context;
	struct blocks_result *result;
	ZSTD_DCtx *zstd;
	struct cuts cuts;
	/* Of the next byte, in the file and in its contents. */
	u64 file;
	u64 plain;
	u64 proven;
	/* The file's bytes from ->at on. */
	u8 *window;
	u64 at;
	size_t filled;
	u8 *out;
	/* Of the frame that is being read. */
	struct blocks_cut frame;
	/* The size of its contents from its header; all ones: not there. */
	u64 stated;
	unsigned int empty;
	int err;
};

static u32 get32(const u8 *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u32)bytes[3] << 24;
}

__attribute__((format(printf, 2, 3)))
static bool stop(struct walk *walk, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(walk->result->what, sizeof(walk->result->what), fmt, args);
	va_end(args);
	return false;
}

static bool no_memory(struct walk *walk)
{
	walk->err = -ENOMEM;
	return false;
}

/* Fills the window from ->file on. */
static bool refill(struct walk *walk)
{
	walk->at = walk->file;
	walk->filled = 0;
	while (walk->filled < WINDOW) {
		ssize_t got = pread(walk->fd, walk->window + walk->filled, WINDOW - walk->filled,
				    (off_t)(walk->at + walk->filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			walk->err = -errno;
		if (got <= 0)
			break;
		walk->filled += (size_t)got;
	}
	return !walk->err;
}

/* The file's next bytes, as many as there are but no more than @size. */
static const u8 *peek(struct walk *walk, size_t size, size_t *got)
{
	if (walk->file + size > walk->at + walk->filled && !refill(walk))
		return NULL;
	*got = sendcp_min(size, (size_t)(walk->at + walk->filled - walk->file));
	return walk->window + (walk->file - walk->at);
}

/* All of the next @size bytes; NULL: the file ends before. */
static const u8 *peek_all(struct walk *walk, size_t size)
{
	size_t got = 0;
	const u8 *bytes = peek(walk, size, &got);

	return got == size ? bytes : NULL;
}

static bool cut_inside(struct walk *walk)
{
	if (walk->err)
		return false;
	return stop(walk, "the zstd frame at byte %llu is truncated",
		    walk->frame.frame_file);
}

static bool deliver(struct walk *walk, size_t size)
{
	if (!size)
		return true;
	if (cuts_contents(&walk->cuts, walk->out, size))
		return no_memory(walk);
	walk->plain += size;
	if (!walk->take(walk->context, walk->out, size, &walk->proven))
		return stop(walk, "the stream cannot be proven after byte %llu",
			    walk->proven);
	cuts_proven(&walk->cuts, walk->proven);
	return true;
}

/*
 * Frames that are right, but cannot be read here, are not damaged: nothing of them may be cut off.
 */
static bool not_taken(struct walk *walk, size_t code)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return no_memory(walk);
	case ZSTD_error_frameParameter_windowTooLarge:
		walk->result->too_large = true;
		return stop(walk, "the zstd frame at byte %llu needs more than 128 MiB of memory: "
			    "unpack it with zstd -dc --long=31 (as far as possible), and --append "
			    "to that", walk->frame.frame_file);
	default:
		return stop(walk, "the zstd frame at byte %llu is damaged: %s",
			    walk->frame.frame_file, ZSTD_getErrorName(code));
	}
}

/* Gives libzstd the file's next @size bytes and takes what comes of them. */
static bool feed(struct walk *walk, size_t size, bool *frame_done)
{
	ZSTD_inBuffer in = { .src = peek_all(walk, size), .size = size };
	ZSTD_outBuffer out = { .dst = walk->out, .size = BLOCK_MAX };
	size_t left;

	if (!in.src)
		return cut_inside(walk);
	do {
		out.pos = 0;
		left = ZSTD_decompressStream(walk->zstd, &out, &in);
		if (ZSTD_isError(left))
			return not_taken(walk, left);
		if (!deliver(walk, out.pos))
			return false;
	} while (in.pos < in.size || out.pos == out.size);
	walk->file += size;
	*frame_done = !left;
	return true;
}

/*
 * Small frames whose header has their size are kept whole or not at all: the size may not fit any
 * more. So are those whose size crosses two sectors, as a power cut could leave one of these as it
 * was, if their window is as large as they are: no block of theirs could be read then.
 */
static bool size_stays(const struct blocks_cut *cut)
{
	u64 last = cut->size_file + cut->size_width - 1;

	if (!cut->size_width)
		return false;
	return cut->size_width < 4 || (cut->single && cut->size_file / SECTOR != last / SECTOR);
}

static void add_cut(struct walk *walk, enum blocks_close close)
{
	struct blocks_cut cut = walk->frame;

	if (close != BLOCKS_CLOSED && size_stays(&cut))
		return;
	cut.file = walk->file;
	cut.plain = walk->plain;
	cut.close = close;
	cuts_add(&walk->cuts, &cut);
}

/* The size of the contents that a frame's header has in @width bytes at @bytes. */
static u64 stated_size(const u8 *bytes, unsigned int width)
{
	u64 size = 0;

	if (!width)
		return ~0ULL;
	for (unsigned int i = 0; i < width; i++)
		size |= (u64)bytes[i] << 8 * i;
	return width == 2 ? size + 256 : size;
}

/* Fills in what the header's descriptor says; returns the header's length. */
static size_t describe_frame(struct walk *walk, const u8 *header)
{
	static const unsigned int id_widths[] = { 0, 1, 2, 4 };
	static const unsigned int size_widths[] = { 0, 2, 4, 8 };
	u8 descriptor = header[4];
	bool single = descriptor & 0x20;
	unsigned int width = size_widths[descriptor >> 6];
	size_t length = 5 + !single + id_widths[descriptor & 3];

	if (single && !width)
		width = 1;
	walk->frame = (struct blocks_cut){
		.has_sum = descriptor & 4,
		.single = single,
		.frame_file = walk->file,
		.frame_plain = walk->plain,
		.size_file = walk->file + length,
		.size_width = width,
	};
	walk->stated = stated_size(header + length, width);
	walk->empty = 0;
	return length + width;
}

static bool damaged(struct walk *walk, const char *how)
{
	return stop(walk, "the zstd frame at byte %llu is damaged: %s",
		    walk->frame.frame_file, how);
}

/*
 * Frames that no encoder makes would have to be kept, or looked at, without end. A wrong size does
 * not matter where a frame can be cut.
 */
static bool check_block(struct walk *walk, u64 plain_before, bool last)
{
	walk->empty = walk->plain == plain_before ? walk->empty + 1 : 0;
	if (!last && walk->empty > EMPTY_MAX)
		return damaged(walk, "too many empty blocks (zeros?)");
	if (size_stays(&walk->frame) && walk->plain - walk->frame.frame_plain > walk->stated)
		return damaged(walk, "it holds more than its header says");
	return true;
}

/* One block; *@last: the frame's last one. */
static bool walk_block(struct walk *walk, bool *last)
{
	u64 plain_before = walk->plain;

	const u8 *bytes = peek_all(walk, BLOCK_HEADER);
	bool done;
	u32 header, size;

	if (!bytes)
		return cut_inside(walk);
	header = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
	*last = header & 1;
	/* Run length: one byte, for any size. */
	size = (header >> 1 & 3) == 1 ? 1 : header >> 3;
	if (size > BLOCK_MAX)
		return damaged(walk, "a block is too large");
	if (!feed(walk, BLOCK_HEADER + size, &done) || !check_block(walk, plain_before, *last))
		return false;
	if (!*last)
		add_cut(walk, BLOCKS_LACKS_END);
	else
		add_cut(walk, walk->frame.has_sum ? BLOCKS_LACKS_SUM : BLOCKS_CLOSED);
	return true;
}

static bool walk_frame(struct walk *walk, const u8 *header, size_t got)
{
	size_t length = got < FRAME_HEADER_MIN ? got + 1 : describe_frame(walk, header);
	bool last = false, done = false;

	walk->frame.frame_file = walk->file;
	if (length > got)
		return cut_inside(walk);
	if (!feed(walk, length, &done))
		return false;
	while (!last)
		if (!walk_block(walk, &last))
			return false;
	if (!walk->frame.has_sum)
		return true;
	if (!feed(walk, SUM_SIZE, &done))
		return false;
	add_cut(walk, BLOCKS_CLOSED);
	return true;
}

static bool walk_skippable(struct walk *walk, const u8 *header, size_t got)
{
	u64 size = got >= 8 ? 8 + (u64)get32(header + 4) : got + 1;
	off_t end = lseek(walk->fd, 0, SEEK_END);

	walk->frame = (struct blocks_cut){
		.frame_file = walk->file,
		.frame_plain = walk->plain,
	};
	if (end < 0 || walk->file + size > (u64)end)
		return cut_inside(walk);
	walk->file += size;
	add_cut(walk, BLOCKS_CLOSED);
	return true;
}

/* False: nothing that follows can be read. */
static bool walk_one(struct walk *walk)
{
	size_t got = 0;
	const u8 *header = peek(walk, FRAME_HEADER_MAX, &got);
	u32 magic;

	if (!header || !got)
		return false;
	magic = got >= 4 ? get32(header) : 0;
	if (magic == FRAME_MAGIC)
		return walk_frame(walk, header, got);
	if ((magic & 0xfffffff0u) == SKIPPABLE_MAGIC)
		return walk_skippable(walk, header, got);
	return stop(walk, "there is no zstd frame at byte %llu", walk->file);
}

static void take_result(struct walk *walk)
{
	struct blocks_result *result = walk->result;
	struct cuts *cuts = &walk->cuts;

	cuts_proven(cuts, walk->proven);
	result->cut = cuts->base;
	result->sum = (u32)XXH64_digest(cuts->sum);
	result->rest = cuts->rest;
	if (cuts->skip)
		memmove(result->rest, result->rest + cuts->skip, cuts->size - cuts->skip);
	result->rest_size = (size_t)(sendcp_min(walk->proven, walk->plain) - result->cut.plain);
	result->plain = walk->plain;
	result->whole = !result->what[0];
	cuts->rest = NULL;
}

int blocks_walk(int fd, blocks_take_fn take, void *context, struct blocks_result *result)
{
	struct walk walk = { .fd = fd, .take = take, .context = context, .result = result };

	*result = (struct blocks_result){ 0 };
	walk.window = malloc(WINDOW);
	walk.out = malloc(BLOCK_MAX);
	walk.zstd = ZSTD_createDCtx();
	if (cuts_begin(&walk.cuts) || !walk.window || !walk.out || !walk.zstd)
		walk.err = -ENOMEM;
	while (!walk.err && walk_one(&walk))
		;
	if (!walk.err)
		take_result(&walk);
	cuts_end(&walk.cuts);
	ZSTD_freeDCtx(walk.zstd);
	free(walk.out);
	free(walk.window);
	return walk.err;
}
