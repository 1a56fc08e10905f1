/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats that a stream is wrapped into: frames of zstd, members of an archive, both, or
 * nothing.
 */
#ifndef CLI_JOURNAL_CONTAINER_SPEC_H
#define CLI_JOURNAL_CONTAINER_SPEC_H

#include <stdbool.h>

enum archive_kind {
	ARCHIVE_NONE,
	ARCHIVE_TAR,
	ARCHIVE_CPIO,
};

struct container_spec {
	enum archive_kind archive;
	/* Of zstd; 0: not compressed. */
	int level;
	/* Of this run, as there is memory for it (transfer/fit.h); 0: ->level, no threads. */
	int run_level;
	unsigned int workers;
};

#define CONTAINER_LEVEL_DEFAULT 3

static inline bool container_is_plain(const struct container_spec *container)
{
	return !container->archive && !container->level;
}

/* From 1 to the highest that libzstd has. */
bool container_level_possible(unsigned long long level);

/* "tar", "cpio"; NULL for no archive. */
const char *archive_kind_name(enum archive_kind kind);
/* False: there is none of that name. */
bool archive_kind_find(const char *name, enum archive_kind *kind);

/* The standard tools that get the plain stream out of such a file, as text; static storage. */
const char *container_extract_text(const struct container_spec *container);

#endif
