/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of a sidecar, as data: the header (first line) and the batches (lines after it).
 *
 * The file is text, a JSON object per line, each with its checksum (json_line.h):
 *
 *	{"sendcp_journal":1, ...}  the subvolumes that are sent, as they were when the send began
 *	{"type":"batch", ...}      a batch: its place, its hash, the checkpoint after it
 *	{"type":"mark", ...}       a wrapped stream: how much of the file holds how much of it
 *	{"type":"delivered", ...}  an orderly end in mid-stream: a pipe was given so many bytes
 *	{"type":"resumed", ...}    another run begins here; a "delivered" before it is void
 *	{"type":"complete", ...}   all of the stream was delivered
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

#include "journal/wrapping.h"
#include "util/mount_place.h"

/* A reader of plain streams only would misread wrapped ones: so theirs is another version. */
#define SIDECAR_VERSION_PLAIN 1
#define SIDECAR_VERSION 2
/* No batch is longer: bounds --buffer-size, and what a sidecar can make resume allocate. */
#define SIDECAR_BATCH_MAX (1u << 30)

/*
 * Longest line in bytes, with its newline, in a sidecar and as a member of an archive: a checkpoint
 * in base64, or a header's paths and subvolumes. A longer one is neither written nor read.
 */
#define SIDECAR_LINE_MAX (SENDCP_CHECKPOINT_SIZE_MAX / 3 * 4 + (1u << 20))
#define SIDECAR_HASH_SIZE 16

/* The same place in the stream and in the file or pipe that holds it. */
struct sidecar_place {
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

struct sidecar_header {
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
	/* The filesystems that it and the sidecar were on when the send began. */
	struct mount_place output_place;
	struct mount_place sidecar_place;
	struct wrapping wrapping;
	/* The sidecar stays when the stream is complete. */
	bool keep;
	u8 fsid[16];
	struct identity_list subvolumes;
	struct identity_list clone_sources;
	/* Each subvolume sent joins the clone sources of those after it. */
	bool sources_grow;
};

struct sidecar_batch {
	u32 subvolume;
	/* The subvolume's last batch. */
	bool end;
	u32 length;
	/* Of the batch's first byte, in its subvolume's stream and in the whole output. */
	u64 stream_offset;
	u64 output_offset;
	/* XXH3-128, canonical byte order. */
	u8 hash[SIDECAR_HASH_SIZE];
	/* Resumes after the batch. */
	void *checkpoint;
	size_t checkpoint_size;
	/* When its line was written, likewise. */
	u64 time;
	/* Offset of its line in the file it was read from. */
	u64 line_offset;
	/* All lines before its own were durable when it was written; only written, never read. */
	bool synced;
};

struct sidecar {
	struct sidecar_header header;
	/* The first line's length, with its newline. */
	size_t header_length;
	/* Gapless and in order. The first need not begin at 0: old ones are thinned out. */
	struct sidecar_batch *batches;
	size_t count;
	size_t capacity;
	/* In order, and none after the last batch: where a wrapped stream can be resumed. */
	struct sidecar_place *marks;
	size_t mark_count;
	size_t mark_capacity;
	/*
	 * No reader of a pipe has more than this; the part that the reader kept is not known to
	 * anyone. Not known: the last run ended without a line about it.
	 */
	bool delivered_known;
	struct sidecar_place delivered;
	bool complete;
	/* Bytes that the file of a complete stream has. */
	u64 complete_size;
	/* Time of the last line that has one; 0: none has. */
	u64 changed;
	/* The output of the last run that was resumed; else the header's. NULL: stdout. */
	char *output;
	/* The file up to here is whole lines; the rest is torn. */
	u64 good_size;
};

static inline u64 sidecar_batch_end(const struct sidecar_batch *batch)
{
	return batch->output_offset + batch->length;
}

/* Bytes of the stream that were ever made. */
static inline u64 sidecar_made(const struct sidecar *sidecar)
{
	return sidecar->count ? sidecar_batch_end(&sidecar->batches[sidecar->count - 1]) : 0;
}

static inline bool sidecar_wrapped(const struct sidecar *sidecar)
{
	return !wrapping_plain(&sidecar->header.wrapping);
}

/* The host that made the stream; it can be resumed by any other. */
static inline const char *sidecar_backend(const struct sidecar_header *header)
{
	return header->image ? "image" : header->module ? "module" : "direct";
}

void sidecar_header_clear(struct sidecar_header *header);
void sidecar_clear(struct sidecar *sidecar);

/* The first line as JSON and back. From JSON: an error line and -1 if members are missing. */
struct json_object *sidecar_header_json(const struct sidecar_header *header);
int sidecar_header_parse(struct json_object *object, struct sidecar_header *header);
/* Is @text the beginning of a sidecar? For not overwriting anything else. */
bool sidecar_recognise(const char *text, size_t length);

/*
 * Reads all of @fd; @name is for messages. A torn end is ignored; good_size says where it begins;
 * damage before valid lines, a newer version and foreign files are error lines and -1.
 */
int sidecar_read(int fd, const char *name, struct sidecar *out);
/* The same for a path. */
int sidecar_read_path(const char *path, struct sidecar *out);

#endif
