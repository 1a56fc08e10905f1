// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send streams made by hand, and wrapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>

#include "handmade.h"

void blob_free(struct blob *blob)
{
	free(blob->bytes);
	*blob = (struct blob){ .size = 0 };
}

void blob_add(struct blob *blob, const void *bytes, size_t size)
{
	blob->bytes = blob->bytes ? blob->bytes : malloc(BLOB_MAX);
	if (!blob->bytes || size > BLOB_MAX - blob->size)
		abort();
	memcpy(blob->bytes + blob->size, bytes, size);
	blob->size += size;
}

int blob_file(const struct blob *blob, size_t size)
{
	int fd = memfd_create("handmade", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, blob->bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void add_number(struct blob *blob, u64 value, size_t size)
{
	u8 bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (u8)(value >> 8 * i);
	blob_add(blob, bytes, size);
}

static u32 crc32c_by_bit(const u8 *bytes, size_t size)
{
	u32 crc = 0;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc;
}

void make_header(struct blob *blob, u32 protocol)
{
	blob->protocol = protocol;
	blob_add(blob, "btrfs-stream", 13);
	add_number(blob, protocol, 4);
}

void make_command(struct blob *blob, u16 command)
{
	blob->command = blob->size;
	add_number(blob, 0, 4);
	add_number(blob, command, 2);
	add_number(blob, 0, 4);
}

void make_attribute(struct blob *blob, u16 type, const void *value, size_t size)
{
	add_number(blob, type, 2);
	if (type != 19 || blob->protocol < 2)
		add_number(blob, size, 2);
	blob_add(blob, value, size);
}

void make_text(struct blob *blob, u16 type, const char *text)
{
	make_attribute(blob, type, text, strlen(text));
}

void make_u64(struct blob *blob, u16 type, u64 value)
{
	add_number(blob, type, 2);
	add_number(blob, 8, 2);
	add_number(blob, value, 8);
}

void make_u32(struct blob *blob, u16 type, u32 value)
{
	add_number(blob, type, 2);
	add_number(blob, 4, 2);
	add_number(blob, value, 4);
}

void make_time(struct blob *blob, u16 type, u64 seconds, u32 nanoseconds)
{
	add_number(blob, type, 2);
	add_number(blob, 12, 2);
	add_number(blob, seconds, 8);
	add_number(blob, nanoseconds, 4);
}

static void put_u32(u8 *to, u32 value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (u8)(value >> 8 * i);
}

void close_command(struct blob *blob)
{
	u8 *command = blob->bytes + blob->command;
	size_t size = blob->size - blob->command;

	put_u32(command, (u32)size - 10);
	put_u32(command + 6, crc32c_by_bit(command, size));
}

static void make_numeric(struct blob *blob, u16 type, u64 value)
{
	if (type >= 9 && type <= 12)
		make_time(blob, type, value, 5);
	else if (type == 25 || type == 30 || type == 31 || type == 33)
		make_u32(blob, type, (u32)value);
	else if (type == 32)
		make_attribute(blob, type, &value, 1);
	else
		make_u64(blob, type, value);
}

static bool is_text(u16 type)
{
	return type == 1 || type == 20 || type == 22 || type == 34 || type == 35 ||
	       (type >= 13 && type <= 17) || type == 19;
}

void make(struct blob *blob, u32 command, ...)
{
	va_list args;
	u16 type;

	make_command(blob, (u16)command);
	va_start(args, command);
	while ((type = (u16)va_arg(args, int))) {
		if (is_text(type))
			make_text(blob, type, va_arg(args, const char *));
		else
			make_numeric(blob, type, va_arg(args, u64));
	}
	va_end(args);
	close_command(blob);
}

void make_subvol(struct blob *blob, const char *name)
{
	make_command(blob, 1);
	make_text(blob, 15, name);
	make_attribute(blob, 1, "0123456789abcdef", 16);
	make_u64(blob, 2, 7);
	close_command(blob);
}

void make_mkfile(struct blob *blob, const char *path)
{
	make_command(blob, 3);
	make_text(blob, 15, path);
	make_u64(blob, 3, 257);
	close_command(blob);
}

void make_write(struct blob *blob, const char *path, u64 offset, const void *data, size_t size)
{
	make_command(blob, 15);
	make_text(blob, 15, path);
	make_u64(blob, 18, offset);
	make_attribute(blob, 19, data, size);
	close_command(blob);
}

void make_end(struct blob *blob)
{
	make_command(blob, 21);
	close_command(blob);
}

void make_stream(struct blob *blob, u32 protocol, u32 writes, u32 length)
{
	u8 *data = malloc(length);
	u32 random = 1;

	assert_non_null(data);
	make_header(blob, protocol);
	make_subvol(blob, "name");
	make_mkfile(blob, "file");
	for (u32 i = 0; i < writes; i++) {
		for (u32 j = 0; j < length; j++) {
			random = random * 1103515245 + 12345;
			data[j] = (u8)(random >> 24);
		}
		make_write(blob, "file", (u64)i * length, data, length);
	}
	make_end(blob);
	free(data);
}

void wrap_frame(struct blob *out, const void *bytes, size_t size, bool checksum)
{
	size_t capacity = ZSTD_compressBound(size);
	u8 *frame = malloc(capacity);
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t made;

	assert_non_null(frame);
	assert_non_null(context);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
	made = ZSTD_compress2(context, frame, capacity, bytes, size);
	assert_false(ZSTD_isError(made));
	blob_add(out, frame, made);
	ZSTD_freeCCtx(context);
	free(frame);
}

static void add_padding(struct blob *out, size_t unit)
{
	static const u8 zeros[512];

	if (out->size % unit)
		blob_add(out, zeros, unit - out->size % unit);
}

static void tar_header(struct blob *out, const char *name, size_t size)
{
	u8 header[512] = { 0 };
	u32 sum = 0;

	snprintf((char *)header, 100, "%s", name);
	snprintf((char *)header + 100, 8, "%07o", 0600);
	snprintf((char *)header + 108, 8, "%07o", 0);
	snprintf((char *)header + 116, 8, "%07o", 0);
	snprintf((char *)header + 124, 12, "%011zo", size);
	snprintf((char *)header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
	blob_add(out, header, sizeof(header));
}

static void cpio_header(struct blob *out, const char *name, size_t size, u32 inode)
{
	char header[128];

	snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
		 "%08x", inode, inode ? 0100600 : 0, 0, 0, 1, 0, (u32)size, 0, 0, 0, 0,
		 (u32)strlen(name) + 1, 0);
	blob_add(out, header, 110);
	blob_add(out, name, strlen(name) + 1);
	add_padding(out, 4);
}

static void add_member(struct blob *out, struct wrap_archive *how, const char *name,
		       const void *bytes, size_t size)
{
	if (how->cpio)
		cpio_header(out, name, size, how->end_count + 1);
	else
		tar_header(out, name, size);
	blob_add(out, bytes, size);
	add_padding(out, how->cpio ? 4 : 512);
	if (how->end_count < ARRAY_SIZE(how->ends))
		how->ends[how->end_count++] = out->size;
}

/* @text is an object but for its closing brace. */
static void add_line(struct blob *out, struct wrap_archive *how, const char *name, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "%s,\"sum\":\"%016llx\"}\n", text,
		 (unsigned long long)XXH3_64bits(text, strlen(text)));
	add_member(out, how, name, line, strlen(line));
}

static void add_segment(struct blob *out, struct wrap_archive *how, const struct blob *stream,
			size_t offset, size_t size, u32 number)
{
	XXH128_hash_t hash = XXH3_128bits(stream->bytes + offset, size);
	char name[40], line[400];

	snprintf(name, sizeof(name), "stream.%010u", number);
	add_member(out, how, name, stream->bytes + offset, size);
	snprintf(name, sizeof(name), "checkpoint.%010u", number);
	snprintf(line, sizeof(line), "{\"type\":\"batch\",\"subvolume\":0,\"stream_offset\":%zu,"
		 "\"output_offset\":%zu,\"length\":%zu,\"xxh3_128\":\"%016llx%016llx\","
		 "\"checkpoint\":\"U0VORA==\"", offset, offset + how->shift, size,
		 (unsigned long long)hash.high64, (unsigned long long)hash.low64);
	add_line(out, how, name, line);
}

void wrap_archive(struct blob *out, const struct blob *stream, struct wrap_archive *how)
{
	static const u8 zeros[1024];
	u32 number = 0;
	char line[100];

	add_line(out, how, "manifest.json", "{\"sendcp_journal\":1");
	for (size_t offset = 0; offset < stream->size; offset += how->segment)
		add_segment(out, how, stream, offset,
			    sendcp_min(how->segment, stream->size - offset), ++number);
	snprintf(line, sizeof(line), "{\"type\":\"complete\",\"output_offset\":%zu", stream->size);
	add_line(out, how, "complete.json", line);
	if (how->cpio)
		cpio_header(out, "TRAILER!!!", 0, 0);
	else
		blob_add(out, zeros, sizeof(zeros));
}
