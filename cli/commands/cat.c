// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp cat: the plain stream out of any file that holds one.
 *
 * Only whole commands whose checksums are right are written, so that nothing wrong gets to btrfs
 * receive; END among them only if the stream has one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "job/conflicts.h"
#include "parse/file.h"
#include "transfer/output.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* Small commands are written together. */
#define STAGE_SIZE (256u << 10)

struct stage {
	struct output output;
	u8 *bytes;
	size_t filled;
};

static int report_write(const struct output *output, int err)
{
	if (err == -EINTR)
		return error_stopped();
	if (err == -EPIPE)
		return error_line("%s: the reader is gone", output->name);
	return error_line("cannot write to %s: %s", output->name, strerror(-err));
}

static int flush(struct stage *stage)
{
	int err = output_write(&stage->output, stage->bytes, stage->filled);

	stage->filled = 0;
	return err ? report_write(&stage->output, err) : 0;
}

static int put(struct stage *stage, const struct stream_command *command)
{
	if (stage->filled + command->size > STAGE_SIZE && flush(stage))
		return -1;
	memcpy(stage->bytes + stage->filled, command->bytes, command->size);
	stage->filled += command->size;
	return 0;
}

static int copy(struct stream_file *file, struct stage *stage)
{
	const struct stream_command *command;

	while ((command = stream_next(file->reader)))
		if (put(stage, command))
			return -1;
	if (flush(stage))
		return -1;
	return stream_file_report(file, NULL);
}

int command_cat(const struct options *options)
{
	struct stage stage = { .filled = 0 };
	struct stream_file file;
	int ret;

	if (output_stdout(&stage.output) || conflicts_copy(options->arguments[0]) ||
	    stream_file_open(&file, options->arguments[0]))
		return EXIT_FAILED;
	signals_install();
	stage.output.cancel = signals_cancel();
	stage.output.rate.per_second = options->bwlimit;
	stage.bytes = xcalloc(1, STAGE_SIZE);
	ret = copy(&file, &stage);
	free(stage.bytes);
	output_close(&stage.output);
	stream_file_close(&file);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
