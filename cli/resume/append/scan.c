// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking through a file that holds a stream for where it can be resumed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resume/append/scan.h"
#include "util/activity.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/signals.h"

#define CHUNK (256u << 10)
#define ZSTD_MAGIC_SIZE 4u

/* Collects the members of an archive while it is read. */
struct watch {
	struct file_scan *scan;
	const struct unwrap *unwrap;
	/* The last member that was read is what ends an archive. */
	bool trailer;
};

static int unreadable(const char *name, int err)
{
	return error_line("cannot read %s: %s", name, strerror(err));
}

static bool pass(struct file_scan *scan, const u8 *data, size_t size)
{
	if (scan->plain < SCAN_HEAD)
		memcpy(scan->head + scan->plain, data,
		       sendcp_min(size, (size_t)(SCAN_HEAD - scan->plain)));
	scan->plain += size;
	scan->stopped = signals_stopped();
	return !scan->stopped && scan->take(scan->context, data, size, &scan->proven);
}

static bool pass_contents(void *context, const void *data, size_t size, u64 *proven)
{
	struct file_scan *scan = context;
	bool more = pass(scan, data, size);

	*proven = scan->proven;
	return more;
}

static bool pass_plain(struct file_scan *scan, const u8 *data, size_t size)
{
	bool more = pass(scan, data, size);

	activity_read(scan->plain);
	return more;
}

static int scan_plain(struct file_scan *scan)
{
	u8 *buffer = xmalloc(CHUNK);
	ssize_t got = read_up_to(scan->fd, scan->head, SCAN_HEAD, 0);
	bool more = got >= 0;

	scan->plain = sendcp_min(scan->skip, scan->size);
	while (more && (got = read_up_to(scan->fd, buffer, CHUNK, scan->plain)) > 0)
		more = pass_plain(scan, buffer, (size_t)got);
	free(buffer);
	if (got < 0)
		return unreadable(scan->name, errno);
	scan->at.output_offset = scan->proven;
	scan->at.file_offset = scan->proven;
	scan->whole = true;
	return 0;
}

static int scan_zstd(struct file_scan *scan)
{
	int ret = blocks_walk(scan->fd, pass_contents, scan, &scan->blocks);

	if (ret)
		return unreadable(scan->name, -ret);
	if (scan->blocks.too_large)
		return error_line("%s: %s", scan->name, scan->blocks.what);
	verbose_line(1, "%s: %s", scan->name, scan->blocks.what[0] ? scan->blocks.what :
		     "all zstd frames are complete");
	scan->at.output_offset = scan->blocks.cut.plain;
	scan->at.file_offset = scan->blocks.cut.file;
	scan->whole = scan->blocks.whole;
	return 0;
}

/* A segment is complete with its checkpoint; all of its bytes have been taken by then. */
static void note_segment(void *context, const struct unwrap_member *member)
{
	struct watch *watch = context;
	struct file_scan *scan = watch->scan;
	struct unwrap_place place = unwrap_whole(watch->unwrap);

	scan->manifest = true;
	watch->trailer = member->kind == UNWRAP_TRAILER;
	if (member->kind != UNWRAP_CHECKPOINT || place.plain > scan->proven ||
	    place.file <= scan->at.file_offset)
		return;
	scan->at = (struct stream_place){
		.output_offset = place.plain,
		.file_offset = place.file,
		.segments = member->number,
	};
}

static int scan_archive(struct file_scan *scan, struct unwrap *unwrap)
{
	struct watch watch = { .scan = scan, .unwrap = unwrap };
	u8 *buffer = xmalloc(CHUNK);
	bool more = true;
	size_t got;

	unwrap_on_member(unwrap, note_segment, &watch);
	while (more && (got = unwrap_read(unwrap, buffer, CHUNK)))
		more = pass(scan, buffer, got);
	free(buffer);
	if (unwrap_ending(unwrap)->how == UNWRAP_FAILED)
		return error_line("cannot read %s: %s", scan->name, unwrap_ending(unwrap)->what);
	scan->whole = unwrap_ending(unwrap)->how == UNWRAP_COMPLETE;
	if (watch.trailer)
		scan->followed = unwrap_ending(unwrap)->foreign;
	verbose_line(1, "%s: %s", scan->name, scan->whole ? "the archive is complete" :
		     unwrap_ending(unwrap)->what);
	return 0;
}

static bool named_zst(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, ".zst");
}

/* Too short to know: its first bytes show what it was to become, or else its name. */
static bool zstd_begun(const struct file_scan *scan)
{
	u8 bytes[ZSTD_MAGIC_SIZE];
	ssize_t got = read_up_to(scan->fd, bytes, sizeof(bytes), 0);

	return got >= 0 && got < (ssize_t)sizeof(bytes) &&
	       (named_zst(scan->name) || (got > 0 && unwrap_zstd_begun(bytes, (size_t)got)));
}

void scan_set_container(struct file_scan *scan, enum unwrap_kind kind)
{
	static const struct container_spec wrappings[] = {
		[UNWRAP_PLAIN] = { ARCHIVE_NONE, 0 },
		[UNWRAP_ZSTD] = { ARCHIVE_NONE, CONTAINER_LEVEL_DEFAULT },
		[UNWRAP_TAR] = { ARCHIVE_TAR, 0 },
		[UNWRAP_CPIO] = { ARCHIVE_CPIO, 0 },
		[UNWRAP_ZSTD_TAR] = { ARCHIVE_TAR, CONTAINER_LEVEL_DEFAULT },
		[UNWRAP_ZSTD_CPIO] = { ARCHIVE_CPIO, CONTAINER_LEVEL_DEFAULT },
	};

	scan->container = wrappings[kind];
	if (kind == UNWRAP_PLAIN && zstd_begun(scan))
		scan->container.level = CONTAINER_LEVEL_DEFAULT;
}

static struct unwrap *open_from_start(int fd, const char *name)
{
	if (lseek(fd, 0, SEEK_SET) >= 0)
		return unwrap_open_fd(fd);
	unreadable(name, errno);
	return NULL;
}

/* An unwrap that has begun cannot be used for anything else. */
int scan_kind(int fd, const char *name, enum unwrap_kind *kind)
{
	struct unwrap *unwrap = open_from_start(fd, name);
	int ret = 0;
	u8 byte;

	if (!unwrap)
		return -1;
	unwrap_read(unwrap, &byte, 1);
	*kind = unwrap_kind(unwrap);
	/* What cannot be read looks like something plain. */
	if (unwrap_ending(unwrap)->how == UNWRAP_FAILED)
		ret = error_line("cannot read %s: %s", name, unwrap_ending(unwrap)->what);
	unwrap_close(unwrap);
	return ret;
}

static int scan_members(struct file_scan *scan)
{
	struct unwrap *unwrap = open_from_start(scan->fd, scan->name);
	int ret;

	if (!unwrap)
		return -1;
	ret = scan_archive(scan, unwrap);
	unwrap_close(unwrap);
	return ret;
}

int scan_file(struct file_scan *scan)
{
	enum unwrap_kind kind;
	struct stat st;
	int ret;

	if (fstat(scan->fd, &st))
		return unreadable(scan->name, errno);
	scan->size = (u64)st.st_size;
	activity_begin(ACTIVITY_READING, scan->name, 0, scan->size);
	if (scan_kind(scan->fd, scan->name, &kind))
		return -1;
	scan_set_container(scan, kind);
	if (scan->container.archive)
		ret = scan_members(scan);
	else
		ret = scan->container.level ? scan_zstd(scan) : scan_plain(scan);
	return scan->stopped ? -1 : ret;
}

void scan_clear(struct file_scan *scan)
{
	free(scan->blocks.rest);
	scan->blocks.rest = NULL;
}

int scan_truncate(struct file_scan *scan)
{
	bool frames = scan->container.level && !scan->container.archive;
	int ret = 0;

	if (frames)
		ret = blocks_close(scan->fd, &scan->blocks, &scan->at.file_offset);
	else if ((scan->size != scan->at.file_offset &&
		  ftruncate(scan->fd, (off_t)scan->at.file_offset)) || fdatasync(scan->fd))
		ret = -errno;
	return ret ? error_line("cannot truncate %s: %s", scan->name, strerror(-ret)) : 0;
}
