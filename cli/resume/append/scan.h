/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scanning a file that holds a stream, in any container, for the place where it can be resumed.
 * Nothing is changed by that.
 */
#ifndef CLI_RESUME_APPEND_SCAN_H
#define CLI_RESUME_APPEND_SCAN_H

#include "container/unwrap.h"
#include "journal/format.h"
#include "resume/append/blocks.h"

#define SCAN_HEAD 16

struct file_scan {
	int fd;
	/* For messages, and for what to make of an empty file. */
	const char *name;
	/* Takes the stream's bytes; see blocks.h. Of plain files, those from ->skip on. */
	blocks_take_fn take;
	void *context;
	u64 skip;

	/* The findings. The level is the default one. */
	struct container_spec container;
	u64 size;
	/* Bytes of the stream that can be read, the first of them, and how many are proven. */
	u64 plain;
	u8 head[SCAN_HEAD];
	u64 proven;
	/* The place to cut it at: not after the end of the proven part. */
	struct stream_place at;
	/* Compressed, and no archive. */
	struct blocks_result blocks;
	/* An archive of ours, if it is one. */
	bool manifest;
	/* That archive is whole, and what follows this byte is not its own; 0: not so. */
	u64 followed;
	/* The file ends as its wrapping should. */
	bool whole;
	/* By a signal, on the way. */
	bool stopped;
};

/* What the file is, by its beginning; it is read from there. -1 with an error line about @name. */
int scan_kind(int fd, const char *name, enum unwrap_kind *kind);
/* @scan->container becomes that of @kind; ->fd and ->name are set. */
void scan_set_container(struct file_scan *scan, enum unwrap_kind kind);

/*
 * -1: it cannot be read, with an error line, or ->stopped, without one. ->fd to ->skip are the
 * caller's.
 */
int scan_file(struct file_scan *scan);
void scan_clear(struct file_scan *scan);

/*
 * Cuts the file at ->at, durably, so that it can be resumed there; ->at.file_offset becomes
 * its new length. -1 with an error line.
 */
int scan_truncate(struct file_scan *scan);

#endif
