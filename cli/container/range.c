// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading back a part of a container: frames below, members above, as they were written.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "container/layout.h"
#include "container/range.h"
#include "util/alloc.h"

#define CHUNK (256u << 10)

struct range {
	int fd;
	u64 at;
	u64 to;
	/* NULL: not compressed. */
	ZSTD_DCtx *context;
	ZSTD_inBuffer in;
	/* The last frame is complete so far. */
	bool between_frames;
	u8 *raw;
	u8 *plain;
	int err;
	bool damaged;
};

static void begin_range(struct range *range, const struct container_spec *container)
{
	range->raw = xmalloc(CHUNK);
	range->plain = xmalloc(CHUNK);
	range->in.src = range->raw;
	range->between_frames = true;
	if (container->level)
		range->context = xobject(ZSTD_createDCtx());
}

static void end_range(struct range *range)
{
	ZSTD_freeDCtx(range->context);
	free(range->raw);
	free(range->plain);
}

/* Bytes of the file; 0: there are no more, or it could not be read. */
static size_t read_raw(struct range *range)
{
	size_t size = (size_t)sendcp_min(range->to - range->at, CHUNK);
	ssize_t got;

	do
		got = pread(range->fd, range->raw, size, (off_t)range->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		range->err = -errno;
	/* Shorter than its length said a moment ago. */
	if (!got && size)
		range->damaged = true;
	if (got <= 0)
		return 0;
	range->at += (u64)got;
	return (size_t)got;
}

static size_t decompress(struct range *range)
{
	ZSTD_outBuffer out = { .dst = range->plain, .size = CHUNK };

	while (!out.pos) {
		size_t left;

		if (range->in.pos == range->in.size) {
			range->in.size = read_raw(range);
			range->in.pos = 0;
		}
		if (!range->in.size) {
			range->damaged |= !range->between_frames;
			return 0;
		}
		left = ZSTD_decompressStream(range->context, &out, &range->in);
		if (ZSTD_isError(left)) {
			if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
				exit_without_memory();
			range->damaged = true;
			return 0;
		}
		range->between_frames = !left;
	}
	return out.pos;
}

/* The next bytes without frames; 0: the end, or a failure. */
static size_t next(struct range *range, const void **data)
{
	*data = range->context ? range->plain : range->raw;
	if (range->err || range->damaged)
		return 0;
	return range->context ? decompress(range) : read_raw(range);
}

static la_ssize_t feed_archive(struct archive *archive, void *data, const void **buffer)
{
	return (la_ssize_t)next(data, buffer);
}

static int read_segment(struct archive *archive, range_take_fn take, void *context, u64 *plain)
{
	const void *data;
	size_t size;
	la_int64_t offset;
	int ret;

	while ((ret = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK) {
		take(context, data, size);
		*plain += size;
	}
	return ret;
}

/* The part has no end of its own: cpio takes that for damage when all members were read. */
static void read_members(struct range *range, struct archive *archive, range_take_fn take,
			 void *context, u64 *plain)
{
	struct archive_entry *entry;
	int ret = ARCHIVE_EOF;

	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);

		if (name && !strncmp(name, LAYOUT_STREAM, strlen(LAYOUT_STREAM)))
			ret = read_segment(archive, take, context, plain);
		else
			ret = archive_read_data_skip(archive) == ARCHIVE_OK ? ARCHIVE_EOF :
									      ARCHIVE_FATAL;
		if (ret != ARCHIVE_EOF)
			break;
	}
	if (ret != ARCHIVE_EOF || range->at != range->to)
		range->damaged = true;
}

static void read_archive(struct range *range, enum archive_kind kind, range_take_fn take,
			 void *context, u64 *plain)
{
	struct archive *archive = xobject(archive_read_new());

	if (kind == ARCHIVE_CPIO ? archive_read_support_format_cpio(archive) :
				   archive_read_support_format_tar(archive))
		exit_without_memory();
	/* Otherwise the very first bytes are no archive's. */
	if (!archive_read_open(archive, range, NULL, feed_archive, NULL))
		read_members(range, archive, take, context, plain);
	else
		range->damaged = true;
	archive_read_free(archive);
}

int range_read(int fd, const struct container_spec *container, u64 from, u64 to, range_take_fn take,
	       void *context, u64 *plain)
{
	struct range range = { .fd = fd, .at = from, .to = to };
	const void *data;
	size_t size;

	*plain = 0;
	begin_range(&range, container);
	if (container->archive) {
		read_archive(&range, container->archive, take, context, plain);
	} else {
		while ((size = next(&range, &data))) {
			take(context, data, size);
			*plain += size;
		}
	}
	end_range(&range);
	return range.err ? range.err : !range.damaged;
}
