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
#include "resume/append/cut_points.h"
#include "util/activity.h"
#include "util/alloc.h"

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

struct block_scan {
	int fd;
	blocks_take_fn take;
	void *context;
	struct blocks_result *result;
	ZSTD_DCtx *zstd;
	struct cut_points points;
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
static bool stop(struct block_scan *scan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(scan->result->what, sizeof(scan->result->what), fmt, args);
	va_end(args);
	return false;
}

/* Fills the window from ->file on. */
static bool refill(struct block_scan *scan)
{
	scan->at = scan->file;
	scan->filled = 0;
	activity_read(scan->file);
	while (scan->filled < WINDOW) {
		ssize_t got = pread(scan->fd, scan->window + scan->filled, WINDOW - scan->filled,
				    (off_t)(scan->at + scan->filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			scan->err = -errno;
		if (got <= 0)
			break;
		scan->filled += (size_t)got;
	}
	return !scan->err;
}

/* The file's next bytes, as many as there are but no more than @size. */
static const u8 *peek(struct block_scan *scan, size_t size, size_t *got)
{
	if (scan->file + size > scan->at + scan->filled && !refill(scan))
		return NULL;
	*got = sendcp_min(size, (size_t)(scan->at + scan->filled - scan->file));
	return scan->window + (scan->file - scan->at);
}

/* All of the next @size bytes; NULL: the file ends before. */
static const u8 *peek_all(struct block_scan *scan, size_t size)
{
	size_t got = 0;
	const u8 *bytes = peek(scan, size, &got);

	return got == size ? bytes : NULL;
}

static bool truncated_inside(struct block_scan *scan)
{
	if (scan->err)
		return false;
	return stop(scan, "the zstd frame at byte %llu is truncated",
		    scan->frame.frame_file);
}

static bool deliver(struct block_scan *scan, size_t size)
{
	if (!size)
		return true;
	cut_points_contents(&scan->points, scan->out, size);
	scan->plain += size;
	if (!scan->take(scan->context, scan->out, size, &scan->proven))
		return stop(scan, "the stream cannot be proven after byte %llu",
			    scan->proven);
	cut_points_proven(&scan->points, scan->proven);
	return true;
}

/*
 * Frames that are right, but cannot be read here, are not damaged: nothing of them may be cut off.
 */
static bool not_taken(struct block_scan *scan, size_t code)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		exit_without_memory();
	case ZSTD_error_frameParameter_windowTooLarge:
		scan->result->too_large = true;
		return stop(scan, "the zstd frame at byte %llu needs more than 128 MiB of memory: "
			    "unpack it with zstd -dc --long=31 (as far as possible), and --append "
			    "to that", scan->frame.frame_file);
	default:
		return stop(scan, "the zstd frame at byte %llu is damaged: %s",
			    scan->frame.frame_file, ZSTD_getErrorName(code));
	}
}

/* Gives libzstd the file's next @size bytes and takes what comes of them. */
static bool feed(struct block_scan *scan, size_t size, bool *frame_done)
{
	ZSTD_inBuffer in = { .src = peek_all(scan, size), .size = size };
	ZSTD_outBuffer out = { .dst = scan->out, .size = BLOCK_MAX };
	size_t left;

	if (!in.src)
		return truncated_inside(scan);
	do {
		out.pos = 0;
		left = ZSTD_decompressStream(scan->zstd, &out, &in);
		if (ZSTD_isError(left))
			return not_taken(scan, left);
		if (!deliver(scan, out.pos))
			return false;
	} while (in.pos < in.size || out.pos == out.size);
	scan->file += size;
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

static void add_cut(struct block_scan *scan, enum blocks_close close)
{
	struct blocks_cut cut = scan->frame;

	if (close != BLOCKS_CLOSED && size_stays(&cut))
		return;
	cut.file = scan->file;
	cut.plain = scan->plain;
	cut.close = close;
	cut_points_add(&scan->points, &cut);
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
static size_t describe_frame(struct block_scan *scan, const u8 *header)
{
	static const unsigned int id_widths[] = { 0, 1, 2, 4 };
	static const unsigned int size_widths[] = { 0, 2, 4, 8 };
	u8 descriptor = header[4];
	bool single = descriptor & 0x20;
	unsigned int width = size_widths[descriptor >> 6];
	size_t length = 5 + !single + id_widths[descriptor & 3];

	if (single && !width)
		width = 1;
	scan->frame = (struct blocks_cut){
		.has_sum = descriptor & 4,
		.single = single,
		.frame_file = scan->file,
		.frame_plain = scan->plain,
		.size_file = scan->file + length,
		.size_width = width,
	};
	scan->stated = stated_size(header + length, width);
	scan->empty = 0;
	return length + width;
}

static bool damaged(struct block_scan *scan, const char *how)
{
	return stop(scan, "the zstd frame at byte %llu is damaged: %s",
		    scan->frame.frame_file, how);
}

/*
 * Frames that no encoder makes would have to be kept, or looked at, without end. A wrong size does
 * not matter where a frame can be cut.
 */
static bool check_block(struct block_scan *scan, u64 plain_before, bool last)
{
	scan->empty = scan->plain == plain_before ? scan->empty + 1 : 0;
	if (!last && scan->empty > EMPTY_MAX)
		return damaged(scan, "too many empty blocks (zeros?)");
	if (size_stays(&scan->frame) && scan->plain - scan->frame.frame_plain > scan->stated)
		return damaged(scan, "it holds more than its header says");
	/* If the last block is empty, libzstd checks that only when it gets all of the frame. */
	if (last && scan->stated != ~0ULL &&
	    scan->plain - scan->frame.frame_plain != scan->stated)
		return damaged(scan, "it does not hold what its header says");
	return true;
}

/* One block; *@last: the frame's last one. */
static bool scan_block(struct block_scan *scan, bool *last)
{
	u64 plain_before = scan->plain;

	const u8 *bytes = peek_all(scan, BLOCK_HEADER);
	bool done;
	u32 header, size;

	if (!bytes)
		return truncated_inside(scan);
	header = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
	*last = header & 1;
	/* Run length: one byte, for any size. */
	size = (header >> 1 & 3) == 1 ? 1 : header >> 3;
	if (size > BLOCK_MAX)
		return damaged(scan, "a block is too large");
	if (!feed(scan, BLOCK_HEADER + size, &done) || !check_block(scan, plain_before, *last))
		return false;
	if (!*last)
		add_cut(scan, BLOCKS_LACKS_END);
	else
		add_cut(scan, scan->frame.has_sum ? BLOCKS_LACKS_SUM : BLOCKS_CLOSED);
	return true;
}

static bool scan_frame(struct block_scan *scan, const u8 *header, size_t got)
{
	size_t length = got < FRAME_HEADER_MIN ? got + 1 : describe_frame(scan, header);
	bool last = false, done = false;

	scan->frame.frame_file = scan->file;
	if (length > got)
		return truncated_inside(scan);
	if (!feed(scan, length, &done))
		return false;
	while (!last)
		if (!scan_block(scan, &last))
			return false;
	if (!scan->frame.has_sum)
		return true;
	if (!feed(scan, SUM_SIZE, &done))
		return false;
	add_cut(scan, BLOCKS_CLOSED);
	return true;
}

static bool scan_skippable(struct block_scan *scan, const u8 *header, size_t got)
{
	u64 size = got >= 8 ? 8 + (u64)get32(header + 4) : got + 1;
	off_t end = lseek(scan->fd, 0, SEEK_END);

	scan->frame = (struct blocks_cut){
		.frame_file = scan->file,
		.frame_plain = scan->plain,
	};
	if (end < 0 || scan->file + size > (u64)end)
		return truncated_inside(scan);
	scan->file += size;
	add_cut(scan, BLOCKS_CLOSED);
	return true;
}

/* False: nothing that follows can be read. */
static bool scan_one(struct block_scan *scan)
{
	size_t got = 0;
	const u8 *header = peek(scan, FRAME_HEADER_MAX, &got);
	u32 magic;

	if (!header || !got)
		return false;
	magic = got >= 4 ? get32(header) : 0;
	if (magic == FRAME_MAGIC)
		return scan_frame(scan, header, got);
	if ((magic & 0xfffffff0u) == SKIPPABLE_MAGIC)
		return scan_skippable(scan, header, got);
	return stop(scan, "there is no zstd frame at byte %llu", scan->file);
}

static void fill_result(struct block_scan *scan)
{
	struct blocks_result *result = scan->result;
	struct cut_points *points = &scan->points;

	cut_points_proven(points, scan->proven);
	result->cut = points->base;
	result->sum = (u32)XXH64_digest(points->sum);
	result->rest = points->rest;
	if (points->skip)
		memmove(result->rest, result->rest + points->skip, points->size - points->skip);
	result->rest_size = (size_t)(sendcp_min(scan->proven, scan->plain) - result->cut.plain);
	result->plain = scan->plain;
	result->whole = !result->what[0];
	points->rest = NULL;
}

int blocks_walk(int fd, blocks_take_fn take, void *context, struct blocks_result *result)
{
	struct block_scan scan = { .fd = fd, .take = take, .context = context, .result = result };

	*result = (struct blocks_result){ 0 };
	scan.window = xmalloc(WINDOW);
	scan.out = xmalloc(BLOCK_MAX);
	scan.zstd = xobject(ZSTD_createDCtx());
	cut_points_begin(&scan.points);
	while (!scan.err && scan_one(&scan))
		;
	if (!scan.err)
		fill_result(&scan);
	cut_points_end(&scan.points);
	ZSTD_freeDCtx(scan.zstd);
	free(scan.out);
	free(scan.window);
	return scan.err;
}
