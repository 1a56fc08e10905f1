// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream's segments out of a tar or cpio archive, read with libarchive.
 *
 * libarchive forgives what must not be forgiven here: an archive without its end marker, junk
 * after it, and damaged cpio headers, which it passes over to the next good one. So it gets a
 * cpio archive member by member, and what is after the last one is looked at here.
 */
#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "container/internal.h"
#include "container/layout.h"
#include "container/segments.h"
#include "journal/format.h"
#include "util/alloc.h"
#include "util/text.h"

#define BLOCK_SIZE (256u << 10)
#define TAR_END_SIZE 1024u
#define TAR_HEADER_SIZE 512u
#define TAR_SIZE_AT 124u
#define TAR_SIZE_LENGTH 12u
#define TAR_TYPE_AT 156u
#define TAR_MAGIC_AT 257u
/* GNU's: where the first holes, and whether more headers of them follow. */
#define TAR_HOLES_AT 386u
#define TAR_MORE_HOLES_AT 482u
/* Attributes that other tools put in front of a member. */
#define TAR_ATTRIBUTES_MAX (32u << 10)
/* A cpio header is text; the offsets in it of the sizes of file and name. */
#define CPIO_HEADER_SIZE 110u
#define CPIO_SIZE_AT 54u
#define CPIO_NAME_SIZE_AT 94u
#define CPIO_NAME_MAX 1024u

struct archive_layer {
	struct unwrap *unwrap;
	struct unwrap_ending *ending;
	struct archive *archive;
	bool cpio;
	struct segments segments;
	/* In a stream member; then its size, as its header says. */
	bool in_segment;
	u64 size;
	/* Bytes from libarchive that the reader has not taken yet. */
	const u8 *pending;
	size_t pending_size;
	/* End of the last member, in bytes of the archive. */
	u64 member_end;
	/* End of the last byte that was not zero. */
	u64 nonzero_end;
	/* The end of the member that was begun to be handed to libarchive. */
	u64 handed_end;
	struct unwrap_place whole;
	u8 block[BLOCK_SIZE];
};

bool archive_recognise_tar(const u8 *bytes, size_t size)
{
	return size >= 262 && !memcmp(bytes + 257, "ustar", 5);
}

bool archive_recognise_cpio(const u8 *bytes, size_t size)
{
	return size >= 6 && !memcmp(bytes, "070701", 6);
}

/* Eight hexadecimal digits. */
static bool cpio_number(const u8 *digits, u64 *value)
{
	char text[9] = { 0 };
	u8 bytes[4];

	memcpy(text, digits, 8);
	if (!sendcp_hex_parse(text, bytes, sizeof(bytes)))
		return false;
	*value = (u64)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
	return true;
}

/*
 * Of a member with its header, name and padding; 0: no header that can be ours. Of one that it does
 * not take for a header, libarchive looks for the next one in the member's contents.
 */
static u64 cpio_member_size(const u8 *header)
{
	u64 name, size;

	for (unsigned int i = 0; i < CPIO_HEADER_SIZE; i++)
		if (!isxdigit(header[i]))
			return 0;
	if (!archive_recognise_cpio(header, CPIO_HEADER_SIZE) ||
	    !cpio_number(header + CPIO_SIZE_AT, &size) ||
	    !cpio_number(header + CPIO_NAME_SIZE_AT, &name) || name > CPIO_NAME_MAX)
		return 0;
	return ((CPIO_HEADER_SIZE + name + 3) & ~3ULL) + ((size + 3) & ~3ULL);
}

/* Into the block after its first @from bytes, up to @size of them in all. */
static size_t read_block(struct archive_layer *layer, size_t from, size_t size)
{
	u64 offset = layer->unwrap->inner_offset;
	size_t got = unwrap_inner_read(layer->unwrap, layer->block + from, size - from);
	size_t end = got;

	while (end && !layer->block[from + end - 1])
		end--;
	if (end)
		layer->nonzero_end = offset + end;
	return got;
}

/* At least @size bytes of the block, or fewer at the end. */
static size_t fill_block(struct archive_layer *layer, size_t filled, size_t size)
{
	size_t got;

	while (filled < size && (got = read_block(layer, filled, size)))
		filled += got;
	return filled;
}

/*
 * libarchive takes memory for a name of any length that a cpio header gives, up to 4 GiB. So no
 * block goes beyond a member, and each member's header is looked at before libarchive gets it.
 * 0: the end, or a header that is none.
 */
static size_t read_cpio(struct archive_layer *layer)
{
	size_t filled = fill_block(layer, 0, CPIO_HEADER_SIZE);
	u64 size;

	if (filled < CPIO_HEADER_SIZE)
		return filled;
	size = cpio_member_size(layer->block);
	layer->handed_end += size;
	return size ? filled : 0;
}

static size_t not_ours(struct archive_layer *layer)
{
	unwrap_end(layer->ending, UNWRAP_DAMAGED, "the archive's member at its byte %llu is not "
		   "sendcp's", layer->member_end);
	return 0;
}

/*
 * Octal digits after blanks, as libarchive takes them: with another size than it takes, a header
 * could be hidden from this. What is in binary, or negative, is no size of ours.
 */
static bool tar_size(const u8 *header, u64 *size)
{
	const u8 *digit = header + TAR_SIZE_AT, *end = digit + TAR_SIZE_LENGTH;

	*size = 0;
	while (digit < end && (*digit == ' ' || *digit == '\t'))
		digit++;
	while (digit < end && *digit >= '0' && *digit <= '7')
		*size = *size << 3 | (u64)(*digit++ - '0');
	return digit == end || !*digit || *digit == ' ';
}

/* Attributes may say that the member after them has another size, or holes. */
static size_t read_attributes(struct archive_layer *layer, u64 size)
{
	size_t filled;

	if (size > TAR_ATTRIBUTES_MAX)
		return not_ours(layer);
	filled = fill_block(layer, TAR_HEADER_SIZE, TAR_HEADER_SIZE + (size_t)size);
	if (memmem(layer->block, filled, "size=", 5) || memmem(layer->block, filled, "GNU.", 4))
		return not_ours(layer);
	return filled;
}

/* Of any type, if it is GNU's header. */
static bool tar_has_holes(const u8 *header)
{
	return !memcmp(header + TAR_MAGIC_AT, "ustar  ", 7) &&
	       (header[TAR_HOLES_AT] || header[TAR_MORE_HOLES_AT]);
}

/*
 * The same for tar: libarchive takes memory for as many holes of a sparse file as the headers after
 * its header list. Of all types, only plain files and attributes get to it.
 */
static size_t read_tar(struct archive_layer *layer)
{
	size_t filled = fill_block(layer, 0, TAR_HEADER_SIZE);
	u8 type = layer->block[TAR_TYPE_AT];
	u64 size;

	if (filled < TAR_HEADER_SIZE)
		return filled;
	if ((type && !strchr("0xg", type)) || tar_has_holes(layer->block) ||
	    !tar_size(layer->block, &size))
		return not_ours(layer);
	size = (size + TAR_HEADER_SIZE - 1) & ~(u64)(TAR_HEADER_SIZE - 1);
	layer->handed_end += TAR_HEADER_SIZE + size;
	return type == 'x' || type == 'g' ? read_attributes(layer, size) : filled;
}

static size_t read_member(struct archive_layer *layer)
{
	u64 offset = layer->unwrap->inner_offset;

	if (offset < layer->handed_end)
		return read_block(layer, 0, sendcp_min(BLOCK_SIZE, layer->handed_end - offset));
	return layer->cpio ? read_cpio(layer) : read_tar(layer);
}

static la_ssize_t on_read(struct archive *archive, void *context, const void **block)
{
	struct archive_layer *layer = context;

	*block = layer->block;
	return (la_ssize_t)read_member(layer);
}

/* libarchive failed. If its input had ended by then, that is the reason. */
static void report_failure(struct archive_layer *layer)
{
	const struct unwrap_ending *inner = &layer->unwrap->inner;
	const char *why = archive_error_string(layer->archive);

	if (inner->how == UNWRAP_COMPLETE)
		unwrap_end(layer->ending, UNWRAP_TRUNCATED,
			   "the archive's member at its byte %llu is " "truncated",
			   layer->member_end);
	else if (inner->how != UNWRAP_CONTINUES)
		unwrap_end(layer->ending, inner->how, "%s", inner->what);
	else
		unwrap_end(layer->ending, UNWRAP_DAMAGED, "the archive is damaged at its byte %llu "
			   "(%s)", layer->member_end, why ? why : "no such member");
}

struct archive_layer *archive_layer_new(struct unwrap *unwrap, bool cpio)
{
	struct archive_layer *layer = xmalloc(sizeof(*layer));

	memset(layer, 0, offsetof(struct archive_layer, block));
	layer->unwrap = unwrap;
	layer->ending = &unwrap->ending;
	layer->cpio = cpio;
	layer->archive = xobject(archive_read_new());
	segments_init(&layer->segments, layer->ending);
	if (cpio ? archive_read_support_format_cpio(layer->archive) :
		   archive_read_support_format_tar(layer->archive))
		exit_without_memory();
	if (archive_read_open(layer->archive, layer, NULL, on_read, NULL))
		report_failure(layer);
	return layer;
}

void archive_layer_free(struct archive_layer *layer)
{
	if (!layer)
		return;
	archive_read_free(layer->archive);
	segments_clear(&layer->segments);
	free(layer);
}

static u64 position(const struct archive_layer *layer)
{
	return (u64)archive_filter_bytes(layer->archive, 0);
}

/* Reads on to the end below, so that its own end is known and junk is seen. */
static void drain(struct archive_layer *layer)
{
	while (read_block(layer, 0, BLOCK_SIZE))
		;
}

static void foreign_bytes(struct archive_layer *layer, u64 end)
{
	enum unwrap_kind kind = unwrap_kind(layer->unwrap);

	unwrap_end(layer->ending, UNWRAP_DAMAGED, "something follows the archive's end at its "
		   "byte %llu", end);
	layer->ending->foreign = kind == UNWRAP_TAR || kind == UNWRAP_CPIO ? end : 1;
}

static void archive_ended(struct archive_layer *layer)
{
	const struct unwrap *unwrap = layer->unwrap;
	u64 marker_end = layer->cpio ? position(layer) : layer->member_end;

	drain(layer);
	layer->ending->foreign = unwrap->inner.foreign;
	if (unwrap->inner.how != UNWRAP_COMPLETE)
		unwrap_end(layer->ending, unwrap->inner.how, "%s", unwrap->inner.what);
	else if (layer->nonzero_end > marker_end)
		foreign_bytes(layer, marker_end);
	else if (layer->segments.state != SEGMENTS_COMPLETE)
		unwrap_end(layer->ending, UNWRAP_TRUNCATED, "the archive ends at its byte %llu "
			   "without " LAYOUT_COMPLETE, layer->member_end);
	else if (!layer->cpio && unwrap->inner_offset < layer->member_end + TAR_END_SIZE)
		unwrap_end(layer->ending, UNWRAP_TRUNCATED,
			   "the archive lacks its end marker at its " "byte %llu",
			   layer->member_end);
	else
		unwrap_end(layer->ending, UNWRAP_COMPLETE, "%s", "");
}

/* Plain files of a size that we would write. */
static bool entry_possible(struct archive_layer *layer, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (name && archive_entry_filetype(entry) == S_IFREG &&
	    archive_entry_size_is_set(entry) && !archive_entry_hardlink(entry) &&
	    archive_entry_size(entry) >= 0 && archive_entry_size(entry) <= JOURNAL_BATCH_MAX)
		return true;
	not_ours(layer);
	return false;
}

/* The next block of a member. False: its end, or an error, which the ending has. */
static bool next_block(struct archive_layer *layer, u64 done, const void **data, size_t *size)
{
	la_int64_t offset;
	int ret = archive_read_data_block(layer->archive, data, size, &offset);

	if (ret == ARCHIVE_OK && (u64)offset == done && *size <= layer->size - done)
		return true;
	if (ret == ARCHIVE_EOF && done == layer->size)
		layer->member_end = position(layer);
	else if (ret == ARCHIVE_OK || ret == ARCHIVE_EOF)
		unwrap_end(layer->ending, UNWRAP_DAMAGED, "the archive's member at its byte %llu "
			   "does not have the size in its header", layer->member_end);
	else
		report_failure(layer);
	return false;
}

/*
 * All of a small member, malloc'ed. Its memory grows with what is there, whatever its header says.
 * NULL: an error, which the ending has.
 */
static char *read_text(struct archive_layer *layer)
{
	size_t capacity = 0;
	char *text = NULL;
	u64 done = 0;
	const void *data;
	size_t size;

	while (next_block(layer, done, &data, &size)) {
		text = xgrow(text, &capacity, done + size, 1);
		memcpy(text + done, data, size);
		done += size;
	}
	if (layer->ending->how == UNWRAP_CONTINUES)
		return xgrow(text, &capacity, done + 1, 1);
	free(text);
	return NULL;
}

/*
 * The archive can be cut after a proven segment, and in zstd only where a frame ends too.
 */
static void note_whole(struct archive_layer *layer)
{
	struct unwrap *unwrap = layer->unwrap;
	u64 plain = layer->segments.offset + layer->segments.length;
	struct unwrap_place frame;

	if (!unwrap->zstd) {
		layer->whole = (struct unwrap_place){ .file = layer->member_end, .plain = plain };
		return;
	}
	if (unwrap->inner_offset != layer->member_end)
		return;
	zstd_layer_settle(unwrap->zstd);
	frame = zstd_layer_whole(unwrap->zstd);
	if (frame.plain == layer->member_end)
		layer->whole = (struct unwrap_place){ .file = frame.file, .plain = plain };
}

static void parse_line(struct archive_layer *layer, const char *text)
{
	const struct unwrap *unwrap = layer->unwrap;
	struct unwrap_member member;
	bool good = segments_line(&layer->segments, text, layer->size, &member);

	if (good && member.kind == UNWRAP_CHECKPOINT)
		note_whole(layer);
	if (good && unwrap->on_member)
		unwrap->on_member(unwrap->member_context, &member);
	json_object_put(member.object);
}

static void read_line(struct archive_layer *layer)
{
	char *text;

	if (layer->size > JOURNAL_LINE_MAX) {
		unwrap_end(layer->ending, UNWRAP_DAMAGED, "the archive's member at its byte %llu "
			   "is too long", layer->member_end);
		return;
	}
	text = read_text(layer);
	if (text)
		parse_line(layer, text);
	free(text);
}

static void next_member(struct archive_layer *layer)
{
	struct archive_entry *entry;
	int ret = archive_read_next_header(layer->archive, &entry);

	if (ret == ARCHIVE_EOF) {
		archive_ended(layer);
		return;
	}
	if (ret != ARCHIVE_OK) {
		report_failure(layer);
		return;
	}
	if (!entry_possible(layer, entry))
		return;
	layer->size = (u64)archive_entry_size(entry);
	switch (segments_begin(&layer->segments, archive_entry_pathname(entry))) {
	case SEGMENTS_STREAM:
		layer->in_segment = true;
		break;
	case SEGMENTS_LINE:
		read_line(layer);
		break;
	case SEGMENTS_WRONG:
		break;
	}
}

static void next_of_segment(struct archive_layer *layer)
{
	const void *data;
	size_t size;

	if (next_block(layer, layer->segments.length, &data, &size)) {
		segments_data(&layer->segments, data, size);
		layer->pending = data;
		layer->pending_size = size;
		return;
	}
	layer->in_segment = false;
	if (layer->ending->how == UNWRAP_CONTINUES)
		segments_stream_end(&layer->segments);
}

size_t archive_layer_read(struct archive_layer *layer, void *buffer, size_t size)
{
	while (!layer->pending_size && layer->ending->how == UNWRAP_CONTINUES) {
		if (layer->in_segment)
			next_of_segment(layer);
		else
			next_member(layer);
	}
	size = sendcp_min(size, layer->pending_size);
	if (!size)
		return 0;
	memcpy(buffer, layer->pending, size);
	layer->pending += size;
	layer->pending_size -= size;
	return size;
}

struct unwrap_place archive_layer_whole(const struct archive_layer *layer)
{
	return layer->whole;
}
