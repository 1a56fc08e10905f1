// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file that holds a stream, and the line that says how reading it ended.
 */
#include <errno.h>
#include <string.h>

#include "parse/file.h"
#include "util/activity.h"
#include "util/message.h"
#include "util/signals.h"

int stream_file_open(struct stream_file *file, const char *path)
{
	file->name = strcmp(path, "-") ? path : "standard input";
	file->unwrap = unwrap_open(path);
	if (!file->unwrap)
		return error_line("cannot open %s: %s", file->name, strerror(errno));
	file->reader = stream_reader_new(file->unwrap);
	activity_begin(ACTIVITY_READING, file->name, 0, unwrap_size(file->unwrap));
	return 0;
}

void stream_file_close(struct stream_file *file)
{
	activity_end();
	stream_reader_free(file->reader);
	unwrap_close(file->unwrap);
}

int stream_file_report(const struct stream_file *file, const char *fault)
{
	enum unwrap_kind kind = unwrap_kind(file->unwrap);
	struct unwrap_place whole = stream_unit(file->reader);
	u64 commands = stream_whole(file->reader);

	activity_end();
	if (signals_stopped())
		return error_stopped();
	if (!fault && stream_how(file->reader) == STREAM_WHOLE)
		return 0;
	if (!fault)
		fault = stream_what(file->reader);
	if (kind == UNWRAP_PLAIN)
		return error_line("%s: %s; whole up to byte %llu", file->name, fault, commands);
	if (!whole.file)
		return error_line("%s (%s): %s; whole up to byte %llu of the stream, no whole %s",
				  file->name, unwrap_kind_text(kind), fault, commands,
				  unwrap_unit_text(kind));
	return error_line("%s (%s): %s; whole up to byte %llu of the stream, the last whole %s "
			  "ends at byte %llu of the file, byte %llu of the stream", file->name,
			  unwrap_kind_text(kind), fault, commands, unwrap_unit_text(kind),
			  whole.file, whole.plain);
}
