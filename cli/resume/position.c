// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A receiver's position in the stream with a proof.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parse/check.h"
#include "parse/file.h"
#include "reason_class.h"
#include "resume/position.h"
#include "transfer/transfer_result.h"
#include "util/alloc.h"
#include "util/memory.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/text.h"

char *position_text(const struct position *position, char text[POSITION_TEXT_SIZE])
{
	char hash[2 * HASH_SIZE + 1];

	sendcp_hex_format(position->hash, sizeof(position->hash), hash);
	if (position->in_container)
		snprintf(text, POSITION_TEXT_SIZE, "%llu:%llu:%s", position->file,
			 position->plain, hash);
	else
		snprintf(text, POSITION_TEXT_SIZE, "%llu:%s", position->plain, hash);
	return text;
}

/* The number before the colon at which @text begins; moves it on. */
static bool parse_number(const char **text, u64 *value)
{
	const char *colon = strchr(*text, ':');
	char digits[24];
	size_t length = colon ? (size_t)(colon - *text) : sizeof(digits);

	if (length >= sizeof(digits))
		return false;
	memcpy(digits, *text, length);
	digits[length] = '\0';
	*text = colon + 1;
	return sendcp_parse_u64(digits, value);
}

bool position_parse(const char *text, struct position *position)
{
	*position = (struct position){ .in_container = false };
	if (!parse_number(&text, &position->file))
		return false;
	position->plain = position->file;
	position->in_container = strchr(text, ':');
	if (position->in_container && !parse_number(&text, &position->plain))
		return false;
	return sendcp_hex_parse(text, position->hash, sizeof(position->hash));
}

static u64 window_begin(u64 plain)
{
	return plain - sendcp_min(plain, POSITION_WINDOW);
}

/* The window's bytes, as they come by. */
struct window {
	u64 begin;
	u64 end;
	/* Of the next byte. */
	u64 at;
	struct hash hash;
};

static void window_open(struct window *window, u64 plain)
{
	*window = (struct window){ .begin = window_begin(plain), .end = plain };
	hash_init(&window->hash);
}

static void window_feed(struct window *window, const u8 *data, size_t size)
{
	u64 from = sendcp_max(window->at, window->begin);
	u64 to = sendcp_min(window->at + size, window->end);

	if (from < to)
		hash_add(&window->hash, data + (from - window->at), to - from);
	window->at += size;
}

static void window_close(struct window *window, u8 hash[HASH_SIZE])
{
	hash_result(&window->hash, hash);
	hash_clear(&window->hash);
}

/* The last bytes of a pipe, which cannot be read twice. */
#define TAIL_SIZE (POSITION_WINDOW << 1)
struct tail {
	u8 *bytes;
	/* Of the stream; byte N is at N modulo TAIL_SIZE. */
	u64 at;
};

/* The bytes from byte @at of the stream to the end of the buffer. */
static u8 *tail_part(const struct tail *tail, u64 at, size_t *size)
{
	size_t place = (size_t)(at % TAIL_SIZE);

	*size = sendcp_min(*size, TAIL_SIZE - place);
	return tail->bytes + place;
}

static void tail_feed(void *context, const u8 *bytes, size_t size)
{
	struct tail *tail = context;

	while (size) {
		size_t part = size;
		u8 *to = tail_part(tail, tail->at, &part);

		memcpy(to, bytes, part);
		tail->at += part;
		bytes += part;
		size -= part;
	}
}

static void tail_hash(const struct tail *tail, struct position *position)
{
	struct window window;

	window_open(&window, position->plain);
	window.at = window.begin;
	while (window.at < window.end) {
		size_t part = (size_t)(window.end - window.at);
		const u8 *from = tail_part(tail, window.at, &part);

		window_feed(&window, from, part);
	}
	window_close(&window, position->hash);
}

/*
 * Finds the end of the part that is right. A fault after that is no error here. @tail (may be NULL)
 * gets the plain stream: the reader is less than POSITION_WINDOW ahead of that end.
 */
static int find_end(const char *path, struct tail *tail, struct position *position)
{
	struct stream_check check = { .streams = 0 };
	const struct stream_command *command;
	struct unwrap_place unit;
	struct stream_file file;
	int ret = 0;

	if (stream_file_open(&file, path))
		return -1;
	if (tail)
		stream_reader_tap(file.reader, tail_feed, tail);
	while ((command = stream_next(file.reader)) &&
	       stream_check(&check, file.reader, command))
		;
	if (signals_stopped())
		ret = error_stopped();
	else if (stream_how(file.reader) == STREAM_FAILED)
		ret = error_line("%s: %s", file.name, stream_what(file.reader));
	position->in_container = unwrap_kind(file.unwrap) != UNWRAP_PLAIN;
	unit = stream_unit(file.reader);
	position->plain = position->in_container ? unit.plain : stream_whole(file.reader);
	position->file = position->in_container ? unit.file : position->plain;
	stream_file_close(&file);
	return ret;
}

static int find_in_pipe(const char *path, struct position *position)
{
	struct tail tail = { .bytes = xmalloc(TAIL_SIZE) };
	int ret = find_end(path, &tail, position);

	if (!ret && position->in_container)
		ret = error_line("the position in a compressed or archived stream takes a regular "
				 "file: unpack it before the pipe");
	else if (!ret)
		tail_hash(&tail, position);
	free(tail.bytes);
	return ret;
}

static int hash_window(const char *path, struct position *position)
{
	struct window window;
	struct unwrap *unwrap;
	u8 *buffer = xmalloc(POSITION_WINDOW);
	size_t got;
	int ret = 0;

	window_open(&window, position->plain);
	unwrap = unwrap_open(path);
	if (!unwrap)
		ret = error_line("cannot read %s: %s", path, strerror(errno));
	while (!ret && window.at < window.end) {
		got = unwrap_read(unwrap, buffer, POSITION_WINDOW);
		if (!got && signals_stopped())
			ret = error_stopped();
		else if (!got)
			ret = error_line("%s changed while it was read", path);
		else
			window_feed(&window, buffer, got);
	}
	unwrap_close(unwrap);
	free(buffer);
	window_close(&window, position->hash);
	return ret;
}

int position_find(const char *path, struct position *position)
{
	struct stat st;

	*position = (struct position){ .in_container = false };
	if (!strcmp(path, "-"))
		return find_in_pipe(path, position);
	if (stat(path, &st))
		return error_line("cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return find_in_pipe(path, position);
	return find_end(path, NULL, position) || hash_window(path, position) ? -1 : 0;
}

static int report_made(const struct journal_batch *batch, const struct send_job *job,
		       const struct transfer_result *result)
{
	if (result->status == TRANSFER_DIFFERS)
		return error_line("bytes %llu to %llu of the stream would be made differently now, "
				  "since %s: the receiver's position cannot be proven",
				  batch->output_offset, journal_batch_end(batch),
				  resume_point_why(job));
	if (result->status == TRANSFER_STOPPED) {
		error_stopped();
		return POSITION_LATER;
	}
	error_engine(result->what, &result->error);
	return sendcp_reason_class_read(&result->error).passes ? POSITION_LATER : -1;
}

static int feed_batch(const struct journal_contents *contents, const struct send_job *job,
		      size_t index, struct window *window)
{
	const struct journal_batch *batch = &contents->batches[index];
	struct transfer_result result;
	struct resume_point point;
	u8 *data;
	int ret = 0;

	if (!resume_point_batch(contents, index, &point))
		return error_line("the checkpoint file goes back only to byte %llu",
				  batch->output_offset + batch->length);
	data = memory_take(batch->length + RESUME_PROOF_ROOM, "the batch to be proven");
	if (!data)
		return -1;
	if (resume_point_make(&point, job, signals_cancel(), data, &result))
		ret = report_made(batch, job, &result);
	else
		window_feed(window, data, batch->length);
	free(data);
	return ret;
}

/* The batches that the window touches, in order. */
static int feed_window(const struct journal_contents *contents, const struct send_job *job,
		       struct window *window)
{
	size_t index = resume_point_batches_before(contents, window->begin + 1);
	int ret = 0;

	if (window->begin == window->end)
		return 0;
	if (!index)
		return error_line("the checkpoint file no longer goes back to byte %llu",
				  window->begin);
	index--;
	window->at = contents->batches[index].output_offset;
	while (!ret && window->at < window->end)
		ret = feed_batch(contents, job, index++, window);
	return ret;
}

static int find_point(const struct journal_contents *contents, const struct position *position,
		      bool before, struct resume_point *point)
{
	u64 at = position->file;

	if (!journal_in_container(contents))
		return resume_point_at(contents, position->plain, point);
	/* So little of a file cannot be distinguished from a plain one. */
	if (!position->in_container && position->plain)
		return error_line("the stream was sent compressed or in an archive, but %llu "
				  "counts bytes of a plain stream", position->plain);
	return before ? resume_point_before(contents, at, point) :
			resume_point_at(contents, at, point);
}

static bool fits(const struct resume_point *point, const struct position *position)
{
	return point->at.file_offset == position->file ?
	       point->at.output_offset == position->plain :
	       point->at.output_offset < position->plain;
}

/* @before: the point may be before the position, where nothing but a mark will do. */
static int prove(const struct journal_contents *contents, const struct send_job *job,
		 const struct position *position, bool before, struct resume_point *point)
{
	u8 hash[HASH_SIZE];
	struct window window;
	int ret = find_point(contents, position, before, point);
	int made;

	if (ret < 0)
		return -1;
	if (position->plain > journal_made(contents) || (!ret && !fits(point, position)))
		return error_line("byte %llu of the receiver's file does not hold byte %llu of "
				  "this stream", position->file, position->plain);
	window_open(&window, position->plain);
	made = feed_window(contents, job, &window);
	window_close(&window, hash);
	if (made)
		return made;
	if (memcmp(hash, position->hash, sizeof(hash)))
		return error_line("the receiver's file is not this stream before byte %llu",
				  position->plain);
	return ret;
}

int position_prove(const struct journal_contents *contents, const struct send_job *job,
		   const struct position *position, struct resume_point *point)
{
	return prove(contents, job, position, false, point);
}

int position_prove_before(const struct journal_contents *contents, const struct send_job *job,
			  const struct position *position, struct resume_point *point)
{
	return prove(contents, job, position, true, point);
}
