/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of files whose contents could not be read and were replaced (--on-data-error).
 *
 * A list keeps a bounded number of them, adjacent ones of a file as one; of all others it knows how
 * many there are. Nothing here fails: without memory a range is only counted.
 */
#ifndef CLI_JOURNAL_REPLACED_H
#define CLI_JOURNAL_REPLACED_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include <sendcp/platform.h>

/* What a list keeps at most: ranges, and bytes of their paths. */
#define REPLACED_RANGES_MAX 1000
#define REPLACED_PATHS_MAX (128u << 10)

struct replaced_range {
	u32 subvolume;
	/* By zeros, or by nothing at all. */
	bool zeros;
	/* Below the subvolume, as the file was called at that place of the stream. */
	char *path;
	u64 offset;
	u64 length;
};

struct replaced_list {
	struct replaced_range *ranges;
	size_t count;
	size_t capacity;
	size_t path_bytes;
	/* Ranges that are not kept, and the last of them, to which the next one may be adjacent. */
	u64 more;
	struct replaced_range last;
	/* Of all ranges. */
	u64 bytes;
};

static inline u64 replaced_count(const struct replaced_list *list)
{
	return list->count + list->more;
}

/* @next begins where @range (->path NULL: none) ends: then it becomes a part of it. */
bool replaced_extend(struct replaced_range *range, const struct replaced_range *next);
/* @range's path is copied. */
void replaced_add(struct replaced_list *list, const struct replaced_range *range);
/* @from follows what is in @list. */
void replaced_add_list(struct replaced_list *list, const struct replaced_list *from);
/* *@from becomes empty. */
void replaced_move(struct replaced_list *list, struct replaced_list *from);
void replaced_clear(struct replaced_list *list);

/* The marks in @bytes, whole commands of a stream, or its header and commands. */
void replaced_scan(struct replaced_list *list, u32 subvolume, const u8 *bytes, size_t size);

/* The member "replaced" of @to: null of an empty list. */
void replaced_put(struct json_object *to, const struct replaced_list *list);
/* @object is that member, or NULL: an empty list. False: not what replaced_put() makes. */
bool replaced_parse(struct json_object *object, struct replaced_list *list);

/* "zeros" or "nothing". */
const char *replaced_by(const struct replaced_range *range);

#endif
