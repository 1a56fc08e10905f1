// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a journal: lines, their checksums, and what they add up to.
 *
 * The file may have been cut anywhere by a crash, and may have been damaged or made up: everything
 * in it is checked, and memory grows only with the file's own size.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/format.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/text.h"

struct reader {
	const char *name;
	struct journal_contents *out;
	u64 line_number;
	/* First line whose checksum was wrong; 0: none so far. */
	u64 damaged;
};

static int corrupt(const struct reader *reader, const char *what)
{
	return error_line("%s: line %llu of the checkpoint file: %s", reader->name,
			  reader->line_number, what);
}

/* Takes over the output from a line that names one: the latest counts. NULL is stdout. */
static void set_output(struct journal_contents *contents, const char *output)
{
	free(contents->output);
	contents->output = output ? xstrdup(output) : NULL;
}

/* Perhaps it is the output, whose checkpoint file was meant. */
static void not_a_journal(const char *name)
{
	char *beside = xasprintf("%s.cp", name);

	if (access(beside, F_OK))
		error_line("%s: not a checkpoint file, or its first line is damaged", name);
	else
		error_line("%s: not a checkpoint file; is %s meant?", name, beside);
	free(beside);
}

static int read_header(struct reader *reader, const char *line, size_t length)
{
	struct json_object *object = json_text_parse(line, length);
	u64 version;
	int ret = -1;

	/* The version comes before the checksum: a newer one may be summed differently. */
	if (!object || !journal_recognise(line, length) ||
	    !json_get_u64(object, "sendcp_journal", &version)) {
		not_a_journal(reader->name);
		goto out;
	}
	if (version > JOURNAL_VERSION) {
		error_line("%s: written by a newer sendcp (format %llu, this one knows %u): "
			   "resume with that version", reader->name, version, JOURNAL_VERSION);
		goto out;
	}
	json_object_put(object);
	object = json_line_parse(line, length);
	if (!object || journal_header_parse(object, &reader->out->header)) {
		error_line("%s: the first line of the checkpoint file is damaged", reader->name);
		goto out;
	}
	set_output(reader->out, reader->out->header.output);
	ret = 0;
out:
	json_object_put(object);
	return ret;
}

static bool parse_batch(const struct reader *reader, struct json_object *object,
			struct journal_batch *batch)
{
	const char *checkpoint = json_get_text(object, "checkpoint");

	if (!checkpoint || !json_get_u32(object, "subvolume", &batch->subvolume) ||
	    !json_get_u64(object, "stream_offset", &batch->stream_offset) ||
	    !json_get_u64(object, "output_offset", &batch->output_offset) ||
	    !json_get_u32(object, "length", &batch->length) ||
	    !json_get_hex(object, "xxh3_128", batch->hash, sizeof(batch->hash)))
		return false;
	batch->line_offset = reader->out->good_size;
	batch->end = json_get_flag(object, "end");
	batch->synced = json_get_flag(object, "synced");
	batch->time = json_get_time(object);
	batch->checkpoint = base64_decode(checkpoint, &batch->checkpoint_size);
	return batch->checkpoint &&
	       replaced_parse(json_get_object(object, "replaced"), &batch->replaced);
}

/*
 * False for numbers that no run of sendcp writes, so that they need no check where they are used.
 */
static bool batch_possible(const struct journal_contents *contents,
			   const struct journal_batch *batch)
{
	return batch->subvolume < contents->header.subvolumes.count &&
	       batch->length <= JOURNAL_BATCH_MAX &&
	       batch->stream_offset <= batch->output_offset &&
	       batch->output_offset <= INT64_MAX - JOURNAL_BATCH_MAX &&
	       (batch->length || batch->end);
}

/* SENDCP_SEND_* of the request for subvolume @index, but for those that depend on the backend. */
static u32 request_flags(const struct journal_header *header, u32 index)
{
	u32 flags = header->flags;

	if (header->one_end && index)
		flags |= SENDCP_SEND_OMIT_HEADER;
	if (header->one_end && index + 1 < header->subvolumes.count)
		flags |= SENDCP_SEND_OMIT_END;
	return flags & ~SENDCP_SEND_WRITABLE_OK;
}

/*
 * Is the checkpoint of the send that the first line says? The engine compares that too, but not
 * with a subvolume that is yet to begin: it would be sent with other options than those before it.
 * A checkpoint that cannot be read is refused where it is used.
 */
static bool checkpoint_fits(const struct journal_header *header, const struct journal_batch *batch)
{
	const struct identity *subvolume = &header->subvolumes.identities[batch->subvolume];
	struct sendcp_checkpoint_info info;

	if (sendcp_checkpoint_info(batch->checkpoint, batch->checkpoint_size, &info, NULL))
		return true;
	return info.protocol == header->protocol &&
	       (info.flags & ~SENDCP_SEND_WRITABLE_OK) == request_flags(header, batch->subvolume) &&
	       !memcmp(info.fsid, header->fsid, sizeof(info.fsid)) &&
	       !memcmp(info.subvolume.uuid, subvolume->uuid, sizeof(subvolume->uuid)) &&
	       info.subvolume.ctransid == subvolume->ctransid &&
	       info.parent.id == subvolume->parent;
}

/*
 * Does @batch take @last's place? A subvolume's last batch may be empty; the next subvolume then
 * begins at the same offset without taking its place.
 */
static bool replaces(const struct journal_batch *batch, const struct journal_batch *last)
{
	if (journal_batch_end(last) > batch->output_offset)
		return true;
	return last->output_offset == batch->output_offset && last->subvolume >= batch->subvolume;
}

static bool follows(const struct journal_batch *batch, const struct journal_batch *last)
{
	if (journal_batch_end(last) != batch->output_offset)
		return false;
	if (last->end)
		return batch->subvolume == last->subvolume + 1 && !batch->stream_offset;
	return batch->subvolume == last->subvolume &&
	       batch->stream_offset == last->stream_offset + last->length;
}

void journal_add_batch(struct journal_contents *contents, const struct journal_batch *batch)
{
	contents->batches = xgrow(contents->batches, &contents->capacity, contents->count + 1,
				  sizeof(*contents->batches));
	contents->batches[contents->count++] = *batch;
}

void journal_batch_clear(struct journal_batch *batch)
{
	free(batch->checkpoint);
	replaced_clear(&batch->replaced);
}

void journal_drop_front(struct journal_contents *contents, size_t count)
{
	if (!count)
		return;
	for (size_t i = 0; i < count; i++) {
		replaced_move(&contents->replaced, &contents->batches[i].replaced);
		journal_batch_clear(&contents->batches[i]);
	}
	contents->count -= count;
	memmove(contents->batches, contents->batches + count,
		contents->count * sizeof(*contents->batches));
}

void journal_replaced(const struct journal_contents *contents, u64 end, struct replaced_list *list)
{
	if (end)
		replaced_add_list(list, &contents->replaced);
	for (size_t i = 0; i < contents->count; i++)
		if (contents->batches[i].output_offset < end)
			replaced_add_list(list, &contents->batches[i].replaced);
}

/* Those after a place that is made anew, counted in either way. */
static void drop_marks(struct journal_contents *contents, u64 output_offset, u64 file_offset)
{
	while (contents->mark_count &&
	       (contents->marks[contents->mark_count - 1].output_offset > output_offset ||
		contents->marks[contents->mark_count - 1].file_offset >= file_offset))
		contents->mark_count--;
}

static int read_batch(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;
	struct journal_batch batch = { 0 };

	if (!parse_batch(reader, object, &batch) || !batch_possible(contents, &batch)) {
		journal_batch_clear(&batch);
		return corrupt(reader, "impossible values");
	}
	if (!checkpoint_fits(&contents->header, &batch)) {
		journal_batch_clear(&batch);
		return corrupt(reader, "its checkpoint is of another send than the first line");
	}
	while (contents->count && replaces(&batch, &contents->batches[contents->count - 1]))
		journal_batch_clear(&contents->batches[--contents->count]);
	if (contents->count && !follows(&batch, &contents->batches[contents->count - 1])) {
		journal_batch_clear(&batch);
		return corrupt(reader, "does not follow the lines before it");
	}
	/* The stream from its beginning again. */
	if (!batch.output_offset)
		replaced_clear(&contents->replaced);
	journal_add_batch(contents, &batch);
	/* In a container lines come first: only marks say what is in the file. */
	if (batch.synced && !journal_in_container(contents))
		contents->durable = batch.output_offset;
	drop_marks(contents, batch.output_offset, UINT64_MAX);
	contents->delivered_known = false;
	contents->complete = false;
	return 0;
}

/* "segments" is there for archives only. */
static bool parse_place(const struct journal_contents *contents, struct json_object *object,
			struct stream_place *place)
{
	*place = (struct stream_place){ 0 };
	if (!json_get_u64(object, "output_offset", &place->output_offset) ||
	    place->output_offset > INT64_MAX)
		return false;
	place->file_offset = place->output_offset;
	json_get_u64(object, "segments", &place->segments);
	if (!journal_in_container(contents))
		return true;
	return json_get_u64(object, "file_offset", &place->file_offset) &&
	       place->file_offset <= INT64_MAX;
}

static void add_mark(struct journal_contents *contents, const struct stream_place *mark)
{
	contents->marks = xgrow(contents->marks, &contents->mark_capacity, contents->mark_count + 1,
				sizeof(*contents->marks));
	contents->marks[contents->mark_count++] = *mark;
}

/* Later marks are void: a run that was resumed before them made other bytes there. */
static int read_mark(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;
	struct stream_place mark;

	if (!journal_in_container(contents) || !parse_place(contents, object, &mark) ||
	    mark.output_offset > journal_made(contents))
		return corrupt(reader, "impossible values");
	drop_marks(contents, mark.output_offset, mark.file_offset);
	add_mark(contents, &mark);
	contents->durable = mark.output_offset;
	return 0;
}

/* What one reader was given may arrive when the next one has got less. */
static int read_delivered(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;
	u64 before = contents->delivered.file_offset;

	contents->delivered_known = parse_place(contents, object, &contents->delivered);
	contents->delivered.file_offset = sendcp_max(contents->delivered.file_offset, before);
	return contents->delivered_known ? 0 : corrupt(reader, "impossible values");
}

static int read_complete(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;
	struct stream_place place;

	if (!contents->count)
		return corrupt(reader, "nothing was sent before it");
	if (!parse_place(contents, object, &place))
		return corrupt(reader, "impossible values");
	contents->complete = true;
	contents->complete_size = place.file_offset;
	contents->durable = journal_made(contents);
	return 0;
}

/* The position of the interrupted run's reader does not matter any more. */
static int read_resumed(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;

	contents->delivered_known = false;
	contents->complete = false;
	if (!json_get_u64(object, "output_offset", &contents->durable))
		return corrupt(reader, "impossible values");
	set_output(contents, json_get_text(object, "output"));
	return 0;
}

static int read_total(struct reader *reader, struct json_object *object)
{
	if (json_get_u64(object, "output_offset", &reader->out->total))
		return 0;
	return corrupt(reader, "impossible values");
}

/* Of lines that were dropped: nothing replaces those any more but a stream from its beginning. */
static int read_replaced(struct reader *reader, struct json_object *object)
{
	struct journal_contents *contents = reader->out;

	replaced_clear(&contents->replaced);
	if (replaced_parse(json_get_object(object, "replaced"), &contents->replaced))
		return 0;
	return corrupt(reader, "impossible values");
}

static int read_typed(struct reader *reader, struct json_object *object, const char *type)
{
	if (!strcmp(type, "batch"))
		return read_batch(reader, object);
	if (!strcmp(type, "resumed"))
		return read_resumed(reader, object);
	if (!strcmp(type, "mark"))
		return read_mark(reader, object);
	/* "handed" is what sendcp wrote before 0.1.0. */
	if (!strcmp(type, "delivered") || !strcmp(type, "handed"))
		return read_delivered(reader, object);
	if (!strcmp(type, "complete"))
		return read_complete(reader, object);
	if (!strcmp(type, "total"))
		return read_total(reader, object);
	if (!strcmp(type, "replaced"))
		return read_replaced(reader, object);
	return corrupt(reader, "unknown type");
}

static int read_object(struct reader *reader, struct json_object *object)
{
	const char *type = json_get_text(object, "type");
	u64 time = json_get_time(object);

	if (!type)
		return corrupt(reader, "has no type");
	if (time)
		reader->out->changed = time;
	return read_typed(reader, object, type);
}

/*
 * A line that fails its checksum is the torn end of a crash: writes reach the disk in any order, so
 * more than one line may be torn, and right ones between them. They do not count. But after a line
 * that was written after a sync, there can be none: then it is damage.
 */
static int read_line(struct reader *reader, const char *line, size_t length)
{
	struct json_object *object;
	int ret;

	if (++reader->line_number == 1) {
		reader->out->header_length = length + 1;
		hash_of(line, length, reader->out->header_hash);
		return read_header(reader, line, length);
	}
	object = json_line_parse(line, length);
	if (!object) {
		if (!reader->damaged)
			reader->damaged = reader->line_number;
		return 0;
	}
	if (!reader->damaged)
		ret = read_object(reader, object);
	else if (json_get_flag(object, "synced"))
		ret = error_line("%s: line %llu of the checkpoint file is damaged, and later "
				 "lines say that it was durable", reader->name, reader->damaged);
	else
		ret = 0;
	json_object_put(object);
	return ret;
}

/* Hands on the whole lines at the front of @buffer and moves what is left there. */
static int parse_lines(struct reader *reader, char *buffer, size_t *filled)
{
	size_t done = 0;
	char *newline;
	int ret = 0;

	while (!ret && (newline = memchr(buffer + done, '\n', *filled - done))) {
		size_t length = (size_t)(newline - buffer) - done;

		ret = read_line(reader, buffer + done, length);
		done += length + 1;
		if (!reader->damaged)
			reader->out->good_size += length + 1;
	}
	*filled -= done;
	memmove(buffer, buffer + done, *filled);
	return ret;
}

/*
 * Grows @buffer when a line fills it. A crash tears a line shorter; one that is longer than any of
 * ours is damage, and what follows it must not be given up.
 */
static int reserve_line(const struct reader *reader, char **buffer, size_t *capacity, size_t filled)
{
	size_t larger = *capacity ? sendcp_min(*capacity * 2, JOURNAL_LINE_MAX) : 1 << 16;

	if (filled < *capacity)
		return 0;
	if (*capacity >= JOURNAL_LINE_MAX)
		return error_line("%s: line %llu of the checkpoint file is longer than any that "
				  "sendcp writes: the file is damaged", reader->name,
				  reader->line_number + 1);
	*buffer = xrealloc(*buffer, larger, 1);
	*capacity = larger;
	return 0;
}

/* Bytes without a newline at the file's end were torn and stay in the buffer. */
static int read_lines(struct reader *reader, int fd)
{
	char *buffer = NULL;
	size_t capacity = 0, filled = 0;
	off_t at = 0;
	ssize_t got;
	int ret;

	while (!(ret = reserve_line(reader, &buffer, &capacity, filled))) {
		got = pread(fd, buffer + filled, capacity - filled, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ret = error_line("%s: cannot read: %s", reader->name, strerror(errno));
		if (got <= 0)
			break;
		at += got;
		filled += (size_t)got;
		ret = parse_lines(reader, buffer, &filled);
		if (ret)
			break;
	}
	free(buffer);
	return ret;
}

int journal_read(int fd, const char *name, struct journal_contents *out)
{
	struct reader reader = { .name = name, .out = out };
	int ret;

	memset(out, 0, sizeof(*out));
	ret = read_lines(&reader, fd);
	if (!ret && !reader.line_number)
		ret = error_line("%s: not a checkpoint file, or its first line is incomplete",
				 name);
	if (ret)
		journal_clear(out);
	return ret;
}
