// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what a file holds the beginning of the stream?
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resume/prefix.h"
#include "backend/sender.h"
#include "transfer/transfer_result.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/signals.h"

#define SECTOR 512u
/* Larger than any command. */
#define CHUNK (1u << 20)

/* Takes the stream's next bytes; false: no more are wanted. */
typedef bool (*take_fn)(void *context, const u8 *data, size_t size);

struct maker {
	const struct send_job *job;
	struct sender *sender;
	size_t index;
	u8 *buffer;
};

static int failed(const struct maker *maker, int ret, const struct sendcp_error *error)
{
	if (ret == -EINTR && signals_stopped()) {
		transfer_report_stop();
		return -1;
	}
	return error_engine(maker->job->subvolumes[maker->index].spec, error);
}

static int open_sender(struct maker *maker)
{
	struct sendcp_error error;
	int ret;

	if (maker->sender)
		return 0;
	ret = send_job_sender(maker->job, maker->index, NULL, 0, &maker->sender, &error);
	return ret ? failed(maker, ret, &error) : 0;
}

/* The stream's next bytes; *@size 0: it has ended. */
static int make_next(struct maker *maker, size_t *size)
{
	*size = 0;
	while (!*size && maker->index < maker->job->count) {
		struct sendcp_fill fill = { .buffer = maker->buffer, .size = CHUNK };
		int ret;

		if (open_sender(maker))
			return -1;
		ret = sendcp_sender_fill(maker->sender, &fill, signals_cancel());
		if (ret)
			return failed(maker, ret, sendcp_sender_error(maker->sender));
		*size = fill.filled;
		if (!fill.end)
			continue;
		sendcp_sender_close(maker->sender);
		maker->sender = NULL;
		maker->index++;
	}
	return 0;
}

/* Gives the stream's first @size bytes to @take; 0 if it is shorter, or @take has seen enough. */
static int make_first(const struct resume *resume, u64 size, take_fn take, void *context)
{
	struct maker maker = { .job = &resume->job, .buffer = xmalloc(CHUNK) };
	size_t made = 0;
	int ret = 0;

	while (size) {
		ret = make_next(&maker, &made);
		made = (size_t)sendcp_min(made, size);
		if (ret || !made || !take(context, maker.buffer, made))
			break;
		size -= made;
	}
	sendcp_sender_close(maker.sender);
	free(maker.buffer);
	return ret ? -1 : !size;
}

struct file_compare {
	int fd;
	u64 at;
	u8 *bytes;
	int err;
};

static bool is_zero(const u8 *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Sectors are counted from the file's beginning. */
static bool equal_or_zero(const u8 *bytes, const u8 *data, size_t size, u64 at)
{
	while (size) {
		size_t part = (size_t)sendcp_min(size, SECTOR - at % SECTOR);

		if (memcmp(bytes, data, part) && !is_zero(bytes, part))
			return false;
		bytes += part;
		data += part;
		at += part;
		size -= part;
	}
	return true;
}

static bool compare_file(void *context, const u8 *data, size_t size)
{
	struct file_compare *compare = context;

	if (read_at(compare->fd, compare->bytes, size, compare->at)) {
		compare->err = errno;
		return false;
	}
	if (!equal_or_zero(compare->bytes, data, size, compare->at))
		return false;
	compare->at += size;
	return true;
}

int resume_prefix_file(const struct resume *resume, u64 size)
{
	struct file_compare compare = {
		.fd = resume->output.fd,
		.bytes = xmalloc(CHUNK),
	};
	int ret;

	ret = make_first(resume, size, compare_file, &compare);
	free(compare.bytes);
	if (compare.err)
		return error_line("cannot read %s: %s", resume->output.name,
				  strerror(compare.err));
	return ret;
}

static bool add_to_hash(void *context, const u8 *data, size_t size)
{
	hash_add(context, data, size);
	return true;
}

int resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE])
{
	u8 result[HASH_SIZE];
	struct hash made;
	int ret;

	hash_init(&made);
	ret = make_first(resume, size, add_to_hash, &made);
	hash_result(&made, result);
	hash_clear(&made);
	return ret > 0 ? !memcmp(result, hash, HASH_SIZE) : ret;
}
