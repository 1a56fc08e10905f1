// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Archives of segments: every cut, changed bit and member out of place is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>

#include <sendcp/engine.h>
#include "container/unwrap.h"
#include "container/wrap.h"
#include "handmade.h"
#include "journal/lines.h"

#define SEGMENT 1500u
#define SEGMENTS 4u
/* Manifest, a segment and its checkpoint each, trailer. */
#define MEMBERS (2 + 2 * SEGMENTS)

struct archived {
	struct blob plain;
	struct blob file;
	struct wrap_archive how;
};

static struct archived make_archived(bool cpio)
{
	struct archived archived = { .how = { .cpio = cpio, .segment = SEGMENT } };

	make_stream(&archived.plain, 1, 5, 900);
	wrap_archive(&archived.file, &archived.plain, &archived.how);
	assert_int_equal(archived.how.end_count, MEMBERS);
	return archived;
}

static void free_archived(struct archived *archived)
{
	blob_free(&archived->plain);
	blob_free(&archived->file);
}

struct result {
	enum unwrap_kind kind;
	struct unwrap_ending ending;
	struct unwrap_place whole;
	struct blob plain;
	u32 members[3];
	u64 last_number;
};

static void count_member(void *context, const struct unwrap_member *member)
{
	struct result *result = context;

	assert_non_null(member->object);
	assert_int_equal(member->line[member->length - 1], '}');
	result->members[member->kind]++;
	if (member->kind == UNWRAP_CHECKPOINT) {
		assert_int_equal(member->number, result->last_number + 1);
		result->last_number = member->number;
	}
}

/* Closes @fd. */
static struct result unwrap_fd(int fd)
{
	static u8 buffer[1000];
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct result result = { .plain = { .size = 0 } };
	size_t got;

	assert_non_null(unwrap);
	unwrap_on_member(unwrap, count_member, &result);
	while ((got = unwrap_read(unwrap, buffer, sizeof(buffer))))
		blob_add(&result.plain, buffer, got);
	result.kind = unwrap_kind(unwrap);
	result.ending = *unwrap_ending(unwrap);
	result.whole = unwrap_whole(unwrap);
	unwrap_close(unwrap);
	close(fd);
	return result;
}

static struct result unwrap_blob(const struct blob *blob, size_t size)
{
	return unwrap_fd(blob_file(blob, size));
}

static void whole_archives(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);
		struct result result = unwrap_blob(&archived.file, archived.file.size);

		assert_string_equal(result.ending.what, "");
		assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
		assert_int_equal(result.kind, cpio ? UNWRAP_CPIO : UNWRAP_TAR);
		assert_int_equal(result.plain.size, archived.plain.size);
		assert_memory_equal(result.plain.bytes, archived.plain.bytes, archived.plain.size);
		assert_int_equal(result.members[UNWRAP_MANIFEST], 1);
		assert_int_equal(result.members[UNWRAP_CHECKPOINT], SEGMENTS);
		assert_int_equal(result.members[UNWRAP_TRAILER], 1);
		assert_int_equal(result.whole.file, archived.how.ends[MEMBERS - 2]);
		assert_int_equal(result.whole.plain, archived.plain.size);
		blob_free(&result.plain);
		free_archived(&archived);
	}
}

/* Segments whose checkpoint is whole in the first @size bytes. */
static u32 segments_before(const struct archived *archived, size_t size)
{
	u32 count = 0;

	while (count < SEGMENTS && archived->how.ends[2 * count + 2] <= size)
		count++;
	return count;
}

/* Padding after the last line may be missing. */
static size_t needed(const struct archived *archived)
{
	return archived->how.cpio ? archived->file.size - 3 : archived->file.size;
}

static void every_cut(struct archived *archived)
{
	for (size_t size = 512; size < needed(archived); size++) {
		struct result result = unwrap_blob(&archived->file, size);
		u32 segments = segments_before(archived, size);

		if (result.ending.how != UNWRAP_TRUNCATED)
			fail_msg("cut at %zu: %d, %s", size, result.ending.how, result.ending.what);
		if (segments) {
			assert_int_equal(result.whole.file, archived->how.ends[2 * segments]);
			assert_int_equal(result.whole.plain, sendcp_min(segments * SEGMENT,
									archived->plain.size));
		} else {
			assert_int_equal(result.whole.file, 0);
		}
		if (result.plain.size)
			assert_memory_equal(result.plain.bytes, archived->plain.bytes,
					    result.plain.size);
		blob_free(&result.plain);
	}
}

static void every_cut_is_seen(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);

		every_cut(&archived);
		free_archived(&archived);
	}
}

/* Times and owners may change, the stream may not, nor what is said to be whole. */
static void changed_bits(struct archived *archived)
{
	for (size_t byte = 263; byte < archived->file.size; byte++) {
		struct result result;

		archived->file.bytes[byte] ^= (u8)(1 << byte % 8);
		result = unwrap_blob(&archived->file, archived->file.size);
		archived->file.bytes[byte] ^= (u8)(1 << byte % 8);
		if (result.ending.how == UNWRAP_COMPLETE &&
		    (result.plain.size != archived->plain.size ||
		     memcmp(result.plain.bytes, archived->plain.bytes, archived->plain.size)))
			fail_msg("byte %zu", byte);
		if (result.whole.plain)
			assert_memory_equal(result.plain.bytes, archived->plain.bytes,
					    result.whole.plain);
		blob_free(&result.plain);
	}
}

static void changed_bits_are_seen(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);

		changed_bits(&archived);
		free_archived(&archived);
	}
}

/* The bytes between two members' ends are removed, and inserted after @to if that is not 0. */
static struct result without(const struct archived *archived, u32 first, u32 count, u32 to)
{
	const size_t *ends = archived->how.ends;
	const u8 *from = archived->file.bytes;
	size_t start = ends[first - 1], end = ends[first + count - 1];
	struct blob changed = { .size = 0 };
	struct result result;

	blob_add(&changed, from, start);
	if (to) {
		blob_add(&changed, from + end, ends[to] - end);
		blob_add(&changed, from + start, end - start);
		end = ends[to];
	}
	blob_add(&changed, from + end, archived->file.size - end);
	result = unwrap_blob(&changed, changed.size);
	blob_free(&changed);
	return result;
}

static void refused(struct result result, enum unwrap_how how, const char *what)
{
	assert_int_equal(result.ending.how, how);
	if (!strstr(result.ending.what, what))
		fail_msg("%s: %s", what, result.ending.what);
	blob_free(&result.plain);
}

static void members_out_of_place(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);

		/* A checkpoint lacks, a segment lacks, a pair lacks, pairs are exchanged. */
		refused(without(&archived, 2, 1, 0), UNWRAP_DAMAGED,
			"checkpoint.0000000001 is missing: stream.0000000002 is in its place");
		refused(without(&archived, 3, 1, 0), UNWRAP_DAMAGED,
			"stream.0000000002 is missing: checkpoint.0000000002 is in its place");
		refused(without(&archived, 3, 2, 0), UNWRAP_DAMAGED,
			"stream.0000000002 is missing: stream.0000000003 is in its place");
		refused(without(&archived, 3, 2, 6), UNWRAP_DAMAGED,
			"stream.0000000002 is missing: stream.0000000003 is in its place");
		/* The last pair is missing: the trailer counts more. */
		refused(without(&archived, 7, 2, 0), UNWRAP_DAMAGED, "complete.json");
		/* The trailer lacks. */
		refused(without(&archived, 9, 1, 0), UNWRAP_TRUNCATED, "complete.json");
		free_archived(&archived);
	}
}

static void no_manifest(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);
		size_t end = archived.how.ends[0];
		struct blob changed = { .size = 0 };

		blob_add(&changed, archived.file.bytes + end, archived.file.size - end);
		refused(unwrap_blob(&changed, changed.size), UNWRAP_DAMAGED, "manifest.json");
		blob_free(&changed);
		free_archived(&archived);
	}
}

static void junk_behind_the_end(void **state)
{
	static const u8 zeros[9000];

	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);
		struct result result;

		blob_add(&archived.file, zeros, sizeof(zeros));
		result = unwrap_blob(&archived.file, archived.file.size);
		assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
		blob_free(&result.plain);
		blob_add(&archived.file, "x", 1);
		refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
			"something follows the archive's end");
		free_archived(&archived);
	}
}

static void assert_whole(struct result result)
{
	assert_string_equal(result.ending.what, "");
	assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
	blob_free(&result.plain);
}

/* A member's name of 4 GiB would be memory of 4 GiB: it must not look like a mere cut. */
static void cpio_names_of_any_length(void **state)
{
	struct archived archived = make_archived(true);

	memcpy(archived.file.bytes + archived.how.ends[0] + 94, "ffffff00", 8);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"the archive is damaged at its byte ");
	memcpy(archived.file.bytes + 94, "ffffff00", 8);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"the archive is damaged at its byte 0 ");
	free_archived(&archived);
}

/* libarchive would look for another one in the contents, which may say anything of itself. */
static void cpio_headers_that_are_none(void **state)
{
	struct archived archived = make_archived(true);

	archived.file.bytes[14] = 'z';
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"the archive is damaged at its byte 0 ");
	free_archived(&archived);
}

static void seal_tar_header(u8 *header)
{
	u32 sum = 0;

	memset(header + 148, ' ', 8);
	for (u32 i = 0; i < 512; i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
}

/* Before the archive, a header of that type with @text as its contents. */
static void put_in_front(struct blob *out, const struct archived *archived, char type,
			 const char *text)
{
	u8 block[512];

	memcpy(block, archived->file.bytes, sizeof(block));
	block[156] = (u8)type;
	snprintf((char *)block + 124, 12, "%011o", (u32)strlen(text));
	seal_tar_header(block);
	*out = (struct blob){ .size = 0 };
	blob_add(out, block, sizeof(block));
	memset(block, 0, sizeof(block));
	memcpy(block, text, strlen(text));
	blob_add(out, block, sizeof(block));
	blob_add(out, archived->file.bytes, archived->file.size);
}

/* libarchive takes memory for all holes that headers list: 19 KiB in zstd took 400 MiB. */
static void sparse_files_of_tar(void **state)
{
	struct archived archived = make_archived(false);
	u8 *header = archived.file.bytes + archived.how.ends[0];

	header[156] = 'S';
	seal_tar_header(header);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"is not sendcp's");
	/* With GNU's magic it has holes whatever its type is. */
	header[156] = '0';
	memcpy(header + 257, "ustar  ", 8);
	seal_tar_header(header);
	assert_whole(unwrap_blob(&archived.file, archived.file.size));
	header[386] = '1';
	seal_tar_header(header);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"is not sendcp's");
	free_archived(&archived);
}

/* Read otherwise than libarchive does, they would hide the headers after them from this. */
static void sizes_of_tar_with_blanks(void **state)
{
	struct archived archived = make_archived(false);
	u8 *size = archived.file.bytes + archived.how.ends[0] + 124;

	memmove(size + 1, size, 11);
	seal_tar_header(size - 124);
	assert_whole(unwrap_blob(&archived.file, archived.file.size));
	memcpy(size, " \t", 2);
	seal_tar_header(size - 124);
	assert_whole(unwrap_blob(&archived.file, archived.file.size));
	size[0] = '-';
	seal_tar_header(size - 124);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"is not sendcp's");
	free_archived(&archived);
}

/* Other tools' attributes are taken, but not those that say what is in the member. */
static void attributes_of_tar(void **state)
{
	static const char *const texts[] = { "11 size=12\n", "26 GNU.sparse.major=1\n",
					     "24 SCHILY.realsize=12\n" };
	struct archived archived = make_archived(false);
	struct blob blob;

	put_in_front(&blob, &archived, 'x', "16 comment=harm\n");
	assert_whole(unwrap_blob(&blob, blob.size));
	blob_free(&blob);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put_in_front(&blob, &archived, 'x', texts[i]);
		refused(unwrap_blob(&blob, blob.size), UNWRAP_DAMAGED, "is not sendcp's");
		blob_free(&blob);
	}
	free_archived(&archived);
}

static void offsets_that_are_wrong(void **state)
{
	struct archived archived = { .how = { .segment = SEGMENT, .shift = 1 } };

	make_stream(&archived.plain, 1, 5, 900);
	wrap_archive(&archived.file, &archived.plain, &archived.how);
	refused(unwrap_blob(&archived.file, archived.file.size), UNWRAP_DAMAGED,
		"segment 1, bytes 0 to 1500 of the stream, does not match its checkpoint");
	free_archived(&archived);
}

/* In zstd, with a frame's end after each checkpoint; @out's frames end at @ends. */
static void wrap_frames(const struct archived *archived, struct blob *out, size_t *ends)
{
	size_t from = 0;

	for (u32 i = 0; i <= SEGMENTS; i++) {
		size_t to = i < SEGMENTS ? archived->how.ends[2 * i + 2] : archived->file.size;

		wrap_frame(out, archived->file.bytes + from, to - from, true);
		ends[i] = out->size;
		from = to;
	}
}

static void cuts_in_zstd(const struct archived *archived)
{
	struct blob out = { .size = 0 };
	size_t ends[SEGMENTS + 1];
	u32 frames = 0;

	wrap_frames(archived, &out, ends);
	for (size_t size = 600; size <= out.size; size++) {
		struct result result = unwrap_blob(&out, size);

		while (frames < SEGMENTS && ends[frames] <= size)
			frames++;
		assert_int_equal(result.ending.how, size == out.size ? UNWRAP_COMPLETE :
				 UNWRAP_TRUNCATED);
		assert_int_equal(result.whole.file, frames ? ends[frames - 1] : 0);
		assert_int_equal(result.whole.plain, sendcp_min(frames * SEGMENT,
								archived->plain.size));
		blob_free(&result.plain);
	}
	blob_free(&out);
}

static void archives_in_zstd(void **state)
{
	for (int cpio = 0; cpio < 2; cpio++) {
		struct archived archived = make_archived(cpio);

		cuts_in_zstd(&archived);
		free_archived(&archived);
	}
}

/* A read ends in the midst of a frame's checksum, or just before or after it. */
static void frames_that_end_at_the_edge_of_a_read(void **state)
{
	static u8 zeros[131072];
	struct archived archived = make_archived(false);
	size_t first = archived.how.ends[2], edge = 512 + 131072;

	for (u32 behind = 0; behind < 10; behind++) {
		struct blob frame = { .size = 0 }, out = { .size = 0 };
		struct result result;
		__le32 skipped;

		wrap_frame(&frame, archived.file.bytes, first, true);
		skipped = cpu_to_le32((u32)(edge + behind - frame.size) - 8);
		blob_add(&out, "\x50\x2a\x4d\x18", 4);
		blob_add(&out, &skipped, sizeof(skipped));
		blob_add(&out, zeros, le32_to_cpu(skipped));
		blob_add(&out, frame.bytes, frame.size);
		wrap_frame(&out, archived.file.bytes + first, archived.file.size - first, true);
		result = unwrap_blob(&out, out.size - 1);
		assert_int_equal(result.ending.how, UNWRAP_TRUNCATED);
		assert_int_equal(result.whole.file, edge + behind);
		assert_int_equal(result.whole.plain, SEGMENT);
		blob_free(&result.plain);
		blob_free(&frame);
		blob_free(&out);
	}
	free_archived(&archived);
}

/* One frame around it all: nothing but its end is a place to cut. */
static void archive_in_one_frame(void **state)
{
	struct archived archived = make_archived(false);
	struct blob out = { .size = 0 };
	struct result result;

	wrap_frame(&out, archived.file.bytes, archived.file.size, true);
	result = unwrap_blob(&out, out.size);
	assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
	assert_int_equal(result.kind, UNWRAP_ZSTD_TAR);
	assert_int_equal(result.whole.file, 0);
	blob_free(&result.plain);
	blob_free(&out);
	free_archived(&archived);
}

/* An archive made by wrap.c, in a file. */
struct made {
	struct sink sink;
	int fd;
};

static int into_file(struct sink *sink, const void *data, size_t size)
{
	struct made *made = (struct made *)sink;

	return write(made->fd, data, size) == (ssize_t)size ? 0 : -EIO;
}

static void add_batch(struct wrap *wrap, const struct blob *plain, size_t checkpoint_size)
{
	struct journal_batch batch = { .length = (u32)plain->size, .end = true };
	XXH128_canonical_t hash;
	size_t length;
	char *line;

	XXH128_canonicalFromHash(&hash, XXH3_128bits(plain->bytes, plain->size));
	memcpy(batch.hash, hash.digest, sizeof(batch.hash));
	batch.checkpoint_size = checkpoint_size;
	batch.checkpoint = calloc(1, checkpoint_size);
	assert_non_null(batch.checkpoint);
	line = journal_batch_line(&batch, &length);
	assert_non_null(line);
	assert_int_equal(wrap_batch(wrap, plain->bytes, plain->size, line, length), 0);
	free(line);
	free(batch.checkpoint);
}

/* A member with the largest checkpoint there is can be read. */
static void the_largest_checkpoint_is_read_back(void **state)
{
	struct identity one = { .id = 256, .spec = (char *)"s", .path = (char *)"/s" };
	struct journal_header header = {
		.tool = (char *)"test", .protocol = 2, .buffer_size = 1 << 20, .buffers = 1,
		.interval = 1 << 20, .subvolumes = { &one, 1 },
		.container = { .archive = ARCHIVE_TAR },
	};
	struct made made = { .sink.write = into_file, .fd = blob_file(&(struct blob){ 0 }, 0) };
	struct blob plain = { 0 };
	struct result result;
	struct wrap *wrap;
	size_t length;
	char *line;

	make_stream(&plain, 2, 5, 900);
	assert_int_equal(wrap_open(&header, &made.sink, &(struct stream_place){ 0 }, &wrap), 0);
	add_batch(wrap, &plain, SENDCP_CHECKPOINT_SIZE_MAX);
	line = journal_complete_line(plain.size, &length);
	assert_int_equal(wrap_finish(wrap, line, length), 0);
	free(line);
	wrap_free(wrap);
	assert_int_equal(lseek(made.fd, 0, SEEK_SET), 0);
	result = unwrap_fd(made.fd);
	assert_string_equal(result.ending.what, "");
	assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
	assert_int_equal(result.plain.size, plain.size);
	assert_int_equal(result.members[UNWRAP_CHECKPOINT], 1);
	blob_free(&result.plain);
	blob_free(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_archives),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(changed_bits_are_seen),
		cmocka_unit_test(members_out_of_place),
		cmocka_unit_test(no_manifest),
		cmocka_unit_test(junk_behind_the_end),
		cmocka_unit_test(cpio_names_of_any_length),
		cmocka_unit_test(cpio_headers_that_are_none),
		cmocka_unit_test(sparse_files_of_tar),
		cmocka_unit_test(sizes_of_tar_with_blanks),
		cmocka_unit_test(attributes_of_tar),
		cmocka_unit_test(offsets_that_are_wrong),
		cmocka_unit_test(archives_in_zstd),
		cmocka_unit_test(frames_that_end_at_the_edge_of_a_read),
		cmocka_unit_test(archive_in_one_frame),
		cmocka_unit_test(the_largest_checkpoint_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
