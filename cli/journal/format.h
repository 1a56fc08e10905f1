/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of a journal, as data: the header (first line) and the batches (lines after it).
 *
 * The file is text, a JSON object per line, each with its checksum (json_line.h):
 *
 *	{"sendcp_journal":1, ...}  the subvolumes that are sent, as they were when the send began
 *	{"type":"batch", ...}      a batch: its place, its hash, the checkpoint after it
 *	{"type":"mark", ...} a stream in a container: how much of the file holds how much of it
 *	{"type":"delivered", ...}  an orderly end in mid-stream: a pipe was given so many bytes
 *	{"type":"resumed", ...}    another run begins here; a "delivered" before it is void
 *	{"type":"complete", ...}   all of the stream was delivered
 *	{"type":"total", ...}      how long the whole stream will be, as soon as that was measured
 *	{"type":"replaced", ...}   ranges of files that were replaced before the first batch
 *
 * A batch at an offset that batches before it already cover takes the place of those at and after
 * that offset: it was made by a later run that was resumed there.
 */
#ifndef CLI_JOURNAL_FORMAT_H
#define CLI_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include <sendcp/engine.h>

#include "journal/container_spec.h"
#include "journal/replaced.h"
#include "util/hash.h"
#include "util/mount_place.h"

/* A reader of plain streams only would misread wrapped ones: so theirs is another version. */
#define JOURNAL_VERSION_PLAIN 1
#define JOURNAL_VERSION 2
/* No batch is longer: bounds --buffer-size, and what a journal can make resume allocate. */
#define JOURNAL_BATCH_MAX (1u << 30)

/*
 * Longest line in bytes, with its newline, in a journal and as a member of an archive: a checkpoint
 * in base64, or a header's paths and subvolumes. A longer one is neither written nor read.
 */
#define JOURNAL_LINE_MAX (SENDCP_CHECKPOINT_SIZE_MAX / 3 * 4 + (1u << 20))

/* The same place in the stream and in the file or pipe that holds it. */
struct stream_place {
	u64 output_offset;
	/* Of a plain stream the same. */
	u64 file_offset;
	/* Archives: segments before it. */
	u64 segments;
};

/* A subvolume as it was when the send began. */
struct identity {
	u64 id;
	u8 uuid[16];
	u8 received_uuid[16];
	u64 ctransid;
	/* As the user named it, and as it can be found from any directory. */
	char *spec;
	char *path;
	/* Root id of its parent; 0: full send. Subvolumes to be sent only. */
	u64 parent;
};

struct identity_list {
	struct identity *identities;
	size_t count;
};

struct journal_header {
	char *tool;
	/* When the send began, in seconds since 1970; 0: not known. */
	u64 begun;
	/* Read from devices or images; then these are their paths. */
	bool image;
	/* --ignore-log was given: the run may be resumed without it. */
	bool ignore_log;
	/* The kernel module made the stream. */
	bool module;
	char **devices;
	size_t device_count;
	u32 protocol;
	u32 flags;
	/* -e: one header and one END for all subvolumes. */
	bool one_end;
	u64 buffer_size;
	u32 buffers;
	u64 interval;
	/* Absolute path of the file that the stream is written to; NULL: a pipe. */
	char *output;
	/* That file was standard output. */
	bool output_stdout;
	/* The filesystems that it and the journal were on when the send began. */
	struct mount_place output_place;
	struct mount_place journal_place;
	struct container_spec container;
	/* The journal stays when the stream is complete. */
	bool keep;
	u8 fsid[16];
	struct identity_list subvolumes;
	struct identity_list clone_sources;
	/* Each subvolume sent joins the clone sources of those after it. */
	bool sources_grow;
};

struct journal_batch {
	u32 subvolume;
	/* The subvolume's last batch. */
	bool end;
	u32 length;
	/* Of the batch's first byte, in its subvolume's stream and in the whole output. */
	u64 stream_offset;
	u64 output_offset;
	u8 hash[HASH_SIZE];
	/* The ranges that are marked in it. */
	struct replaced_list replaced;
	/* Resumes after the batch. */
	void *checkpoint;
	size_t checkpoint_size;
	/* When its line was written, likewise. */
	u64 time;
	/* Offset of its line in the file it was read from. */
	u64 line_offset;
	/* All lines before its own were durable when it was written. */
	bool synced;
};

struct journal_contents {
	struct journal_header header;
	/* The first line's length, with its newline. */
	size_t header_length;
	/* Of that line: whether this is still the send that was looked at. */
	u8 header_hash[HASH_SIZE];
	/* Gapless and in order. The first need not begin at 0: old ones are thinned out. */
	struct journal_batch *batches;
	size_t count;
	size_t capacity;
	/* Ranges that are marked before the first batch. */
	struct replaced_list replaced;
	/* In order, and none after the last batch: where a stream in a container can be resumed. */
	struct stream_place *marks;
	size_t mark_count;
	size_t mark_capacity;
	/*
	 * No reader of a pipe has more than this; the part that the reader kept is not known to
	 * anyone. Not known: the last run ended without a line about it.
	 */
	bool delivered_known;
	struct stream_place delivered;
	bool complete;
	/* Length of the whole stream; 0: not known. For people only. */
	u64 total;
	/* Of a file: the stream up to here is on the disk, if not more. For people only. */
	u64 durable;
	/* Bytes that the file of a complete stream has. */
	u64 complete_size;
	/* Time of the last line that has one; 0: none has. */
	u64 changed;
	/* The output of the last run that was resumed; else the header's. NULL: stdout. */
	char *output;
	/* The file up to here is whole lines; the rest is torn. */
	u64 good_size;
};

static inline u64 journal_batch_end(const struct journal_batch *batch)
{
	return batch->output_offset + batch->length;
}

/* Bytes of the stream that were ever made. */
static inline u64 journal_made(const struct journal_contents *contents)
{
	return contents->count ? journal_batch_end(&contents->batches[contents->count - 1]) : 0;
}

/* Of what was made, rounded down: 100 only if that is all. -1: not known. */
static inline int journal_percent(const struct journal_contents *contents)
{
	u64 made = journal_made(contents);

	if (contents->complete)
		return 100;
	if (!contents->total || made >= contents->total)
		return contents->total ? 99 : -1;
	return (int)((double)made / (double)contents->total * 100);
}

/* The most bytes that a run can have written while no line of them is durable. */
static inline u64 journal_undurable_max(const struct journal_header *header)
{
	return sendcp_min(header->interval, INT64_MAX / 4) +
	       2 * sendcp_min(header->buffer_size, JOURNAL_BATCH_MAX);
}

static inline bool journal_in_container(const struct journal_contents *contents)
{
	return !container_is_plain(&contents->header.container);
}

/* The host that made the stream; it can be resumed by any other. */
static inline const char *journal_backend(const struct journal_header *header)
{
	return header->image ? "image" : header->module ? "module" : "direct";
}

/* Takes its memory over. */
void journal_add_batch(struct journal_contents *contents, const struct journal_batch *batch);
void journal_batch_clear(struct journal_batch *batch);
/* Forgets the first @count batches, but what was replaced in them. */
void journal_drop_front(struct journal_contents *contents, size_t count);
/* The ranges that are marked in the batches that begin before byte @end, and before those. */
void journal_replaced(const struct journal_contents *contents, u64 end,
		      struct replaced_list *list);
void journal_header_clear(struct journal_header *header);
void journal_clear(struct journal_contents *contents);

/* The first line as JSON and back. From JSON: an error line and -1 if members are missing. */
struct json_object *journal_header_json(const struct journal_header *header);
int journal_header_parse(struct json_object *object, struct journal_header *header);
/* Is @text the beginning of a journal? For not overwriting anything else. */
bool journal_recognise(const char *text, size_t length);

/*
 * Reads all of @fd; @name is for messages. A torn end is ignored; good_size says where it begins;
 * damage before valid lines, a newer version and foreign files are error lines and -1.
 */
int journal_read(int fd, const char *name, struct journal_contents *out);
/* The same for a path, which must be a regular file. */
int journal_read_path(const char *path, struct journal_contents *out);
/* Has a run the lock of the open journal @fd? Takes it for a moment. */
bool journal_locked(int fd);
/* journal_read_path(), and never waits: *@running: a run has the journal's lock. */
int journal_look(const char *path, struct journal_contents *out, bool *running);

#endif
