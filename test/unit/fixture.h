/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests: a host whose devices are bytes in memory, and a tiny filesystem made by hand.
 *
 * Image files are mapped privately, so a test may scribble over its devices as it likes.
 */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include <sendcp/engine.h>
#include "fs/fs.h"

#define FIXTURE_DEVICES 8

struct fixture_device {
	u8 *bytes;
	u64 size;
	/* All reads fail with this errno (negative). */
	int fail;
	/* >= 0: read from this file instead of memory. */
	int fd;
	/* Reads that were asked for. */
	unsigned int reads;
};

struct fixture {
	struct sendcp_host host;
	struct sendcp_volume *volume;
	struct sendcp_error error;
	struct fixture_device devices[FIXTURE_DEVICES];
	/* Calls of read(), and single reads in all of them. */
	unsigned int calls;
	unsigned int reads;
	unsigned int warnings;
	struct sendcp_error warning;
	bool interrupt;
	/* Of the test, if it reads compressed extents. */
	struct decompressor *decompressor;
	/* Called before each read(), if set. */
	void (*before_read)(struct fixture *fixture);
	void *user;
};

void fixture_init(struct fixture *fixture);
/* Adds a device of @size zero bytes; returns its index. */
u32 fixture_add(struct fixture *fixture, u64 size);
/* Maps @path as a device. */
u32 fixture_add_file(struct fixture *fixture, const char *path);
/* Reads @path (a block device) directly. */
u32 fixture_add_direct(struct fixture *fixture, const char *path);
/* Closes the volume if open, frees the devices. */
void fixture_release(struct fixture *fixture);
int fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* The same bytes in each run; printed by the test that uses it. */
u64 fixture_random(u64 *seed);

/* The tiny filesystem: one chunk, logical = physical, of everything after the first MiB. */
#define TINY_NODESIZE	4096u
#define TINY_START	(1ULL << 20)
#define TINY_GENERATION	7ULL
#define TINY_CHUNK_ROOT	TINY_START
#define TINY_ROOT_ROOT	(TINY_START + TINY_NODESIZE)
/* First block that a test may use. */
#define TINY_FREE	(TINY_START + 4 * TINY_NODESIZE)

struct tiny_item {
	struct sendcp_key key;
	const void *data;
	u32 size;
};

/* Puts the right checksum (CRC-32C) in front of @size bytes. */
void tiny_seal(void *block, u32 size);
/* Writes leaf @bytenr to device 0; all sealed. */
void tiny_leaf(struct fixture *fixture, u64 bytenr, u64 generation, const struct tiny_item *items,
	       u32 count);
struct tiny_pointer {
	struct sendcp_key key;
	u64 bytenr;
	u64 generation;
};
void tiny_inner(struct fixture *fixture, u64 bytenr, u64 generation, u8 level,
		const struct tiny_pointer *pointers, u32 count);
/* A superblock as tiny_make() writes it, with own offset @bytenr, sealed. */
void tiny_super(struct sendcp_disk_super *super, u64 bytenr);
/* Adds a device of @size bytes with all of it; the root tree is an empty leaf. */
void tiny_make(struct fixture *fixture, u64 size);
/* A CHUNK_ITEM of @count stripes in @buffer: devids from 1, all at @offset. Returns its size. */
u32 tiny_chunk(void *buffer, u64 length, u64 type, u16 count, u64 offset);
void tiny_uuid(u8 *uuid, u8 fill);

#endif
