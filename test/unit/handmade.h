/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Send streams made by hand, command by command, and wrapped in zstd and archives.
 *
 * Written without a look at what reads them, with a checksum of its own.
 */
#ifndef TEST_HANDMADE_H
#define TEST_HANDMADE_H

#include <sendcp/platform.h>

#define BLOB_MAX (4u << 20)

/* Bytes that grow at their end. Never fails: any error ends the test. */
struct blob {
	u8 *bytes;
	size_t size;
	/* Of the stream that is being made. */
	u32 protocol;
	size_t command;
};

void blob_free(struct blob *blob);
void blob_add(struct blob *blob, const void *bytes, size_t size);
/* A file (memfd) with the first @size bytes, to be read from its beginning. */
int blob_file(const struct blob *blob, size_t size);

void make_header(struct blob *blob, u32 protocol);
/* A command is begun, gets its attributes, and is closed: length and CRC are put in. */
void make_command(struct blob *blob, u16 command);
void make_attribute(struct blob *blob, u16 type, const void *value, size_t size);
void make_text(struct blob *blob, u16 type, const char *text);
void make_u64(struct blob *blob, u16 type, u64 value);
void make_u32(struct blob *blob, u16 type, u32 value);
void make_time(struct blob *blob, u16 type, u64 seconds, u32 nanoseconds);
void close_command(struct blob *blob);

/* Whole commands. */
/*
 * @command with attributes: types followed by their values, 0 after the last. Texts and bytes are
 * strings, a UUID is a string of 16 bytes, all else is a u64.
 */
void make(struct blob *blob, u32 command, ...);
void make_subvol(struct blob *blob, const char *name);
void make_mkfile(struct blob *blob, const char *path);
void make_write(struct blob *blob, const char *path, u64 offset, const void *data, size_t size);
void make_end(struct blob *blob);
/* Header, subvolume, @writes files of @length pseudo-random bytes each, END. */
void make_stream(struct blob *blob, u32 protocol, u32 writes, u32 length);

/* One frame of zstd, with or without a checksum of the contents. */
void wrap_frame(struct blob *out, const void *bytes, size_t size, bool checksum);

/* The settings of an archive. */
struct wrap_archive {
	bool cpio;
	/* Of each segment but the last. */
	size_t segment;
	/* The offsets in the checkpoints are wrong by so much. */
	size_t shift;
	/* End of each member of the archive; as many as there is space for. */
	size_t ends[64];
	u32 end_count;
};

void wrap_archive(struct blob *out, const struct blob *stream, struct wrap_archive *how);

#endif
