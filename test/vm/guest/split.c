// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SENDCP_SPLIT_WRITES: writes are broken where a buffer ends, but what is written is the same.
 *
 * Streams are compared with writes that follow each other joined: path, offset, and all the data
 * of a run; everything else command by command.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define STREAM_HEADER 17
#define COMMAND_HEADER 10
#define COMMAND_WRITE 15
#define ATTRIBUTE_PATH 15
#define ATTRIBUTE_OFFSET 18
#define ATTRIBUTE_DATA 19

struct summary {
	XXH3_state_t *hash;
	unsigned int writes;
	unsigned int commands;
	/* The run of writes that may continue. */
	const uint8_t *path;
	size_t path_length;
	uint64_t end;
};

struct write {
	const uint8_t *path;
	size_t path_length;
	uint64_t offset;
	const uint8_t *data;
	size_t length;
};

static uint16_t le16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static uint32_t le32(const uint8_t *at)
{
	return le16(at) | (uint32_t)le16(at + 2) << 16;
}

/* Protocol 2's data attribute has no length: it goes to the end of the command. */
static bool parse_write(const uint8_t *at, const uint8_t *end, bool protocol2, struct write *write)
{
	memset(write, 0, sizeof(*write));
	while (end - at >= 2) {
		uint16_t type = le16(at);
		size_t length;

		at += 2;
		if (type == ATTRIBUTE_DATA && protocol2) {
			length = end - at;
		} else {
			if (end - at < 2)
				return false;
			length = le16(at);
			at += 2;
		}
		if (length > (size_t)(end - at))
			return false;
		if (type == ATTRIBUTE_PATH) {
			write->path = at;
			write->path_length = length;
		} else if (type == ATTRIBUTE_OFFSET && length == 8) {
			write->offset = le32(at) | (uint64_t)le32(at + 4) << 32;
		} else if (type == ATTRIBUTE_DATA) {
			write->data = at;
			write->length = length;
		}
		at += length;
	}
	return write->path && write->data && write->length;
}

static void add(struct summary *summary, const void *data, size_t size)
{
	XXH3_128bits_update(summary->hash, data, size);
}

static void add_write(struct summary *summary, const struct write *write)
{
	bool goes_on = summary->path && summary->path_length == write->path_length &&
		       !memcmp(summary->path, write->path, write->path_length) &&
		       summary->end == write->offset;

	summary->writes++;
	if (!goes_on) {
		add(summary, "write", 5);
		add(summary, write->path, write->path_length);
		add(summary, &write->offset, sizeof(write->offset));
	}
	add(summary, write->data, write->length);
	summary->path = write->path;
	summary->path_length = write->path_length;
	summary->end = write->offset + write->length;
}

/* 0, or -EBADMSG for what is not a stream. */
static int summarise(const struct sink *sink, bool protocol2, struct summary *summary)
{
	const uint8_t *at = sink->data + STREAM_HEADER;
	const uint8_t *end = sink->data + sink->bytes;

	memset(summary, 0, sizeof(*summary));
	summary->hash = XXH3_createState();
	XXH3_128bits_reset(summary->hash);
	while (end - at >= COMMAND_HEADER) {
		const uint8_t *body = at + COMMAND_HEADER;
		size_t length = le32(at);
		struct write write;

		if (length > (size_t)(end - body))
			return -EBADMSG;
		summary->commands++;
		if (le16(at + 4) == COMMAND_WRITE) {
			if (!parse_write(body, body + length, protocol2, &write))
				return -EBADMSG;
			add_write(summary, &write);
		} else {
			summary->path = NULL;
			add(summary, at, COMMAND_HEADER + length);
		}
		at = body + length;
	}
	return at == end ? 0 : -EBADMSG;
}

static int make(const struct job *job, const struct target *target, uint32_t flags, size_t size,
		struct summary *summary)
{
	struct sending sending;
	struct sink sink;
	int ret;

	sending_init(&sending, target, job, flags);
	sending.buffer_size = size;
	sink_init(&sink, true);
	ret = sending_all(&sending, &sink);
	if (!ret)
		ret = summarise(&sink, job->protocol == 2, summary);
	sending_free(&sending);
	sink_free(&sink);
	return ret;
}

static void compare(const struct job *job, const struct target *target, size_t size,
		    const struct summary *plain)
{
	struct summary split;
	int ret = make(job, target, SENDCP_SPLIT_WRITES, size, &split);

	if (!is_errno(ret, 0, "split writes, buffer of %zu: made", size))
		return;
	ok(XXH128_isEqual(XXH3_128bits_digest(split.hash), XXH3_128bits_digest(plain->hash)),
	   "split writes, buffer of %zu: the same is written", size);
	ok(split.writes > plain->writes,
	   "split writes, buffer of %zu: %u writes instead of %u", size, split.writes,
	   plain->writes);
	XXH3_freeState(split.hash);
}

int test_split(int argc, char **argv)
{
	static const size_t beyond[] = { 0, 1, 4095, 33333, 100000, 300001 };
	struct sendcp_info info = { .size = sizeof(info) };
	struct summary plain;
	struct target target;
	struct job job;
	unsigned int i;
	int fd = module_open();
	int ret;

	job_parse(&job, argc, argv);
	if (call(fd, SENDCP_IOC_INFO, &info))
		give_up("SENDCP_IOC_INFO");
	target_open(&target, &job, job.subvolumes[0]);
	ret = make(&job, &target, 0, BUFFER_SIZE, &plain);
	if (!ret && plain.writes < 10)
		give_up("too few writes to tell anything");
	if (is_errno(ret, 0, "whole writes: made"))
		for (i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
			compare(&job, &target, info.buffer_min[job.protocol - 1] + beyond[i],
				&plain);
	target_close(&target);
	return tap_end();
}
