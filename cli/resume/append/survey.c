// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking through a file that holds a stream for where it can be resumed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resume/append/survey.h"
#include "util/message.h"
#include "util/signals.h"

#define CHUNK (256u << 10)
#define ZSTD_MAGIC_SIZE 4u

/* Collects the members of an archive while it is read. */
struct watch {
	struct survey *survey;
	const struct unwrap *unwrap;
	/* The last member that was read is what ends an archive. */
	bool trailer;
};

static int unreadable(const char *name, int err)
{
	return error_line("cannot read %s: %s", name, strerror(err));
}

static bool take(struct survey *survey, const u8 *data, size_t size)
{
	if (survey->plain < SURVEY_HEAD)
		memcpy(survey->head + survey->plain, data,
		       sendcp_min(size, (size_t)(SURVEY_HEAD - survey->plain)));
	survey->plain += size;
	survey->stopped = signals_stopped();
	return !survey->stopped && survey->take(survey->context, data, size, &survey->proven);
}

static bool take_contents(void *context, const void *data, size_t size, u64 *proven)
{
	struct survey *survey = context;
	bool more = take(survey, data, size);

	*proven = survey->proven;
	return more;
}

static int survey_plain(struct survey *survey)
{
	u8 *buffer = malloc(CHUNK);
	bool more = buffer && pread(survey->fd, survey->head, SURVEY_HEAD, 0) >= 0;
	ssize_t got = 0;

	survey->plain = sendcp_min(survey->skip, survey->size);
	while (more && (got = pread(survey->fd, buffer, CHUNK, (off_t)survey->plain)) > 0)
		more = take(survey, buffer, (size_t)got);
	free(buffer);
	if (!buffer || got < 0)
		return unreadable(survey->name, buffer ? errno : ENOMEM);
	survey->at.output_offset = survey->proven;
	survey->at.file_offset = survey->proven;
	survey->whole = true;
	return 0;
}

static int survey_zstd(struct survey *survey)
{
	int ret = blocks_walk(survey->fd, take_contents, survey, &survey->blocks);

	if (ret)
		return unreadable(survey->name, -ret);
	if (survey->blocks.too_large)
		return error_line("%s: %s", survey->name, survey->blocks.what);
	verbose_line(1, "%s: %s", survey->name, survey->blocks.what[0] ? survey->blocks.what :
		     "all zstd frames are complete");
	survey->at.output_offset = survey->blocks.cut.plain;
	survey->at.file_offset = survey->blocks.cut.file;
	survey->whole = survey->blocks.whole;
	return 0;
}

/* A segment is complete with its checkpoint; all of its bytes have been taken by then. */
static void note_segment(void *context, const struct unwrap_member *member)
{
	struct watch *watch = context;
	struct survey *survey = watch->survey;
	struct unwrap_place place = unwrap_whole(watch->unwrap);

	survey->manifest = true;
	watch->trailer = member->kind == UNWRAP_TRAILER;
	if (member->kind != UNWRAP_CHECKPOINT || place.plain > survey->proven ||
	    place.file <= survey->at.file_offset)
		return;
	survey->at = (struct stream_place){
		.output_offset = place.plain,
		.file_offset = place.file,
		.segments = member->number,
	};
}

static int survey_archive(struct survey *survey, struct unwrap *unwrap)
{
	struct watch watch = { .survey = survey, .unwrap = unwrap };
	u8 *buffer = malloc(CHUNK);
	bool more = buffer;
	size_t got;

	unwrap_on_member(unwrap, note_segment, &watch);
	while (more && (got = unwrap_read(unwrap, buffer, CHUNK)))
		more = take(survey, buffer, got);
	free(buffer);
	if (!buffer || unwrap_ending(unwrap)->how == UNWRAP_FAILED)
		return error_line("cannot read %s: %s", survey->name, buffer ?
				  unwrap_ending(unwrap)->what : "out of memory");
	survey->whole = unwrap_ending(unwrap)->how == UNWRAP_COMPLETE;
	if (watch.trailer)
		survey->followed = unwrap_ending(unwrap)->foreign;
	verbose_line(1, "%s: %s", survey->name, survey->whole ? "the archive is complete" :
		     unwrap_ending(unwrap)->what);
	return 0;
}

static bool named_zst(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, ".zst");
}

/* Too short to know: its first bytes show what it was to become, or else its name. */
static bool zstd_begun(const struct survey *survey)
{
	u8 bytes[ZSTD_MAGIC_SIZE];
	ssize_t got = pread(survey->fd, bytes, sizeof(bytes), 0);

	return got < (ssize_t)sizeof(bytes) &&
	       (named_zst(survey->name) || (got > 0 && unwrap_zstd_begun(bytes, (size_t)got)));
}

static void set_container(struct survey *survey, enum unwrap_kind kind)
{
	static const struct container_spec wrappings[] = {
		[UNWRAP_PLAIN] = { ARCHIVE_NONE, 0 },
		[UNWRAP_ZSTD] = { ARCHIVE_NONE, CONTAINER_LEVEL_DEFAULT },
		[UNWRAP_TAR] = { ARCHIVE_TAR, 0 },
		[UNWRAP_CPIO] = { ARCHIVE_CPIO, 0 },
		[UNWRAP_ZSTD_TAR] = { ARCHIVE_TAR, CONTAINER_LEVEL_DEFAULT },
		[UNWRAP_ZSTD_CPIO] = { ARCHIVE_CPIO, CONTAINER_LEVEL_DEFAULT },
	};

	survey->container = wrappings[kind];
	if (kind == UNWRAP_PLAIN && zstd_begun(survey))
		survey->container.level = CONTAINER_LEVEL_DEFAULT;
}

static struct unwrap *open_from_start(int fd, const char *name)
{
	struct unwrap *unwrap;

	if (lseek(fd, 0, SEEK_SET) < 0) {
		unreadable(name, errno);
		return NULL;
	}
	unwrap = unwrap_open_fd(fd);
	if (!unwrap)
		unreadable(name, ENOMEM);
	return unwrap;
}

/* An unwrap that has begun cannot be used for anything else. */
int survey_kind(int fd, const char *name, enum unwrap_kind *kind)
{
	struct unwrap *unwrap = open_from_start(fd, name);
	u8 byte;

	if (!unwrap)
		return -1;
	unwrap_read(unwrap, &byte, 1);
	*kind = unwrap_kind(unwrap);
	unwrap_close(unwrap);
	return 0;
}

static int survey_members(struct survey *survey)
{
	struct unwrap *unwrap = open_from_start(survey->fd, survey->name);
	int ret;

	if (!unwrap)
		return -1;
	ret = survey_archive(survey, unwrap);
	unwrap_close(unwrap);
	return ret;
}

int survey_file(struct survey *survey)
{
	enum unwrap_kind kind;
	struct stat st;
	int ret;

	if (fstat(survey->fd, &st))
		return unreadable(survey->name, errno);
	survey->size = (u64)st.st_size;
	if (survey_kind(survey->fd, survey->name, &kind))
		return -1;
	set_container(survey, kind);
	if (survey->container.archive)
		ret = survey_members(survey);
	else
		ret = survey->container.level ? survey_zstd(survey) : survey_plain(survey);
	return survey->stopped ? -1 : ret;
}

void survey_clear(struct survey *survey)
{
	free(survey->blocks.rest);
	survey->blocks.rest = NULL;
}

int survey_cut(struct survey *survey)
{
	bool frames = survey->container.level && !survey->container.archive;
	int ret = 0;

	if (frames)
		ret = blocks_close(survey->fd, &survey->blocks, &survey->at.file_offset);
	else if (ftruncate(survey->fd, (off_t)survey->at.file_offset) || fdatasync(survey->fd))
		ret = -errno;
	return ret ? error_line("cannot truncate %s: %s", survey->name, strerror(-ret)) : 0;
}
