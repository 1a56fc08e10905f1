// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listing the replaced ranges of a stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sendcp/stream.h>

#include "commands/verify_marks.h"
#include "parse/mark.h"
#include "util/alloc.h"
#include "util/printable.h"

static char *text_of(const struct stream_command *command, u32 type)
{
	const struct stream_attribute *text = stream_attribute(command, type);

	return xasprintf("%.*s", (int)text->length, (const char *)text->value);
}

static void print(const struct verify_marks *marks, const struct replaced_range *range)
{
	if (!marks->file)
		return;
	fputs_printable(marks->file, stdout);
	fputs(": ", stdout);
	fputs_printable(marks->name ? marks->name : "", stdout);
	putchar('/');
	fputs_printable(range->path, stdout);
	printf(": %llu bytes at offset %llu could not be read: %s\n", range->length, range->offset,
	       range->zeros ? "they are zeros" : "they were not sent");
}

static void close_open(struct verify_marks *marks)
{
	if (marks->open.path)
		print(marks, &marks->open);
	free(marks->open.path);
	marks->open.path = NULL;
}

/* Takes over its path. */
static void add(struct verify_marks *marks, const struct replaced_range *range)
{
	replaced_add(&marks->list, range);
	if (replaced_extend(&marks->open, range)) {
		free(range->path);
		return;
	}
	close_open(marks);
	marks->open = *range;
}

void verify_marks_look(struct verify_marks *marks, const struct stream_command *command)
{
	enum stream_mark mark = stream_mark(command);
	struct replaced_range range;

	if (command->type == SENDCP_C_SUBVOL || command->type == SENDCP_C_SNAPSHOT) {
		close_open(marks);
		marks->subvolume += marks->name != NULL;
		free(marks->name);
		marks->name = text_of(command, SENDCP_A_PATH);
	}
	if (mark == MARK_NONE)
		return;
	range = (struct replaced_range){
		.subvolume = marks->subvolume,
		.zeros = mark == MARK_ZERO,
		.path = text_of(command, SENDCP_A_PATH),
		.offset = stream_attribute_u64(stream_attribute(command, SENDCP_A_FILE_OFFSET)),
		.length = stream_attribute_u64(stream_attribute(command, SENDCP_A_SIZE)),
	};
	add(marks, &range);
}

void verify_marks_end(struct verify_marks *marks)
{
	close_open(marks);
}

void verify_marks_clear(struct verify_marks *marks)
{
	replaced_clear(&marks->list);
	free(marks->name);
	free(marks->open.path);
}
