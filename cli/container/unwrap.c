// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recognises what a file is wrapped in and stacks the layers that undo it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "container/internal.h"
#include "util/alloc.h"

void unwrap_end(struct unwrap_ending *ending, enum unwrap_how how, const char *fmt, ...)
{
	va_list args;

	if (ending->how != UNWRAP_CONTINUES)
		return;
	ending->how = how;
	va_start(args, fmt);
	vsnprintf(ending->what, sizeof(ending->what), fmt, args);
	va_end(args);
}

struct unwrap *unwrap_open(const char *path)
{
	struct unwrap *unwrap = unwrap_open_fd(-1);
	int err;

	if (!input_open(&unwrap->input, path))
		return unwrap;
	err = errno;
	unwrap_close(unwrap);
	errno = err;
	return NULL;
}

struct unwrap *unwrap_open_fd(int fd)
{
	struct unwrap *unwrap = xcalloc(1, sizeof(*unwrap));

	unwrap->input.fd = fd;
	unwrap->input.ending = &unwrap->inner;
	return unwrap;
}

u64 unwrap_size(const struct unwrap *unwrap)
{
	struct stat st;

	if (fstat(unwrap->input.fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	return (u64)st.st_size;
}

void unwrap_close(struct unwrap *unwrap)
{
	if (!unwrap)
		return;
	archive_layer_free(unwrap->archive);
	zstd_layer_free(unwrap->zstd);
	input_close(&unwrap->input);
	free(unwrap);
}

void unwrap_on_member(struct unwrap *unwrap, unwrap_member_fn function, void *context)
{
	unwrap->on_member = function;
	unwrap->member_context = context;
}

static size_t below(struct unwrap *unwrap, void *buffer, size_t size)
{
	if (unwrap->zstd)
		return zstd_layer_read(unwrap->zstd, buffer, size);
	return input_read(&unwrap->input, buffer, size);
}

size_t unwrap_inner_read(struct unwrap *unwrap, void *buffer, size_t size)
{
	size_t got = sendcp_min(unwrap->head_filled - unwrap->head_from, size);

	if (got) {
		memcpy(buffer, unwrap->head + unwrap->head_from, got);
		unwrap->head_from += got;
	} else {
		got = below(unwrap, buffer, size);
	}
	unwrap->inner_offset += got;
	return got;
}

static void fill_head(struct unwrap *unwrap)
{
	size_t got;

	do {
		got = below(unwrap, unwrap->head + unwrap->head_filled,
			    HEAD_SIZE - unwrap->head_filled);
		unwrap->head_filled += got;
	} while (got && unwrap->head_filled < HEAD_SIZE);
}

/* Less than a whole head is as good, if that is all there is. */
static void recognise_zstd(struct unwrap *unwrap)
{
	fill_head(unwrap);
	if (!zstd_recognise(unwrap->head, unwrap->head_filled))
		return;
	/* The end of a short file is met again by the layer above. */
	if (unwrap->inner.how == UNWRAP_COMPLETE)
		unwrap->inner.how = UNWRAP_CONTINUES;
	unwrap->zstd = zstd_layer_new(&unwrap->input, unwrap->head, unwrap->head_filled);
	unwrap->head_filled = 0;
	fill_head(unwrap);
}

static void recognise_archive(struct unwrap *unwrap)
{
	bool cpio = archive_recognise_cpio(unwrap->head, unwrap->head_filled);

	if (!cpio && !archive_recognise_tar(unwrap->head, unwrap->head_filled)) {
		unwrap->kind = unwrap->zstd ? UNWRAP_ZSTD : UNWRAP_PLAIN;
		return;
	}
	if (unwrap->zstd)
		unwrap->kind = cpio ? UNWRAP_ZSTD_CPIO : UNWRAP_ZSTD_TAR;
	else
		unwrap->kind = cpio ? UNWRAP_CPIO : UNWRAP_TAR;
	unwrap->archive = archive_layer_new(unwrap, cpio);
}

static size_t read_top(struct unwrap *unwrap, void *buffer, size_t size)
{
	size_t got;

	if (unwrap->archive)
		return archive_layer_read(unwrap->archive, buffer, size);
	got = unwrap_inner_read(unwrap, buffer, size);
	if (!got)
		unwrap_end(&unwrap->ending, unwrap->inner.how, "%s", unwrap->inner.what);
	return got;
}

size_t unwrap_read(struct unwrap *unwrap, void *buffer, size_t size)
{
	size_t got;

	if (!unwrap->recognised) {
		recognise_zstd(unwrap);
		recognise_archive(unwrap);
	}
	unwrap->recognised = true;
	if (unwrap->ending.how != UNWRAP_CONTINUES)
		return 0;
	got = read_top(unwrap, buffer, size);
	unwrap->plain_offset += got;
	unwrap->ending.at.plain = unwrap->plain_offset;
	unwrap->ending.at.file = unwrap->input.offset;
	return got;
}

enum unwrap_kind unwrap_kind(const struct unwrap *unwrap)
{
	return unwrap->kind;
}

const char *unwrap_kind_text(enum unwrap_kind kind)
{
	static const char *const texts[] = {
		[UNWRAP_PLAIN] = "plain", [UNWRAP_ZSTD] = "zstd",
		[UNWRAP_TAR] = "tar", [UNWRAP_CPIO] = "cpio",
		[UNWRAP_ZSTD_TAR] = "tar in zstd", [UNWRAP_ZSTD_CPIO] = "cpio in zstd",
	};

	return texts[kind];
}

const struct unwrap_ending *unwrap_ending(const struct unwrap *unwrap)
{
	return &unwrap->ending;
}

struct unwrap_place unwrap_whole(const struct unwrap *unwrap)
{
	struct unwrap_place plain = { unwrap->plain_offset, unwrap->plain_offset };

	if (unwrap->archive)
		return archive_layer_whole(unwrap->archive);
	return unwrap->zstd ? zstd_layer_whole(unwrap->zstd) : plain;
}

const char *unwrap_unit_text(enum unwrap_kind kind)
{
	switch (kind) {
	case UNWRAP_PLAIN:
		return "byte";
	case UNWRAP_ZSTD:
		return "zstd frame";
	default:
		return "segment with its checkpoint";
	}
}
