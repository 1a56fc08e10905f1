// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resuming a stream at the point that was found.
 */
#include <stdlib.h>
#include <string.h>

#include "job/conflicts.h"
#include "job/verbose.h"
#include "journal/state.h"
#include "resume/run.h"
#include "transfer/fit.h"
#include "transfer/replaced_report.h"
#include "transfer/transfer_result.h"
#include "util/message.h"
#include "util/signals.h"

int resume_open_job(struct resume *resume)
{
	if (send_job_reopen(&resume->contents.header, resume->options, &resume->job))
		return -1;
	sendcp_source_set_interrupt(resume->job.source, signals_cancel());
	verbose_source(&resume->job);
	return conflicts_resume(&resume->job, resume->options, resume->output_path);
}

/*
 * A journal that others may write could name any file or device. Names that the user gave are safe;
 * the path of a mounted filesystem comes from the journal alone.
 */
int resume_check_trust(const struct resume *resume)
{
	const struct options *options = resume->options;
	bool output_named = options->output || options->append || options->to_command ||
			    !resume->contents.output;

	if (journal_trusted(resume->journal) || (output_named && options->device_count))
		return 0;
	return error_line("%s belongs to another user, or others may write to it, so the files it "
			  "names are not used. If you trust it, make it yours (chown, chmod go-w)",
			  journal_path(resume->journal));
}

/* The first run's settings, unless others are asked for; never more than it could use. */
static void make_settings(const struct resume *resume, struct transfer_settings *settings)
{
	const struct journal_header *header = &resume->contents.header;
	const struct options *options = resume->options;
	u64 size = options->buffer_size ? options->buffer_size : header->buffer_size;
	u64 smallest = sendcp_buffer_min(SENDCP_PROTOCOL_MAX);

	settings->interval = sendcp_max(header->interval, smallest);
	size = sendcp_min(sendcp_min(size, settings->interval), JOURNAL_BATCH_MAX);
	settings->buffer_size = (size_t)sendcp_max(size, smallest);
	settings->buffers = options->buffers ? options->buffers :
			    (u32)sendcp_min(sendcp_max(header->buffers, 1), MAX_BUFFERS);
}

static int write_known(const struct resume *resume, struct transfer *run,
		       struct transfer_result *result)
{
	*result = (struct transfer_result){ 0 };
	if (!resume->known_size)
		return 0;
	return transfer_write_rest(run, resume->known, resume->known_size, result);
}

/* A proof that fails ends the run as if it had been interrupted where it was to begin. */
static void run_from_point(struct resume *resume, struct transfer *run,
			   struct transfer_result *result)
{
	if (write_known(resume, run, result) ||
	    resume_point_complete(&resume->contents, &resume->point)) {
		transfer_finish(run, result);
		return;
	}
	run->progress = progress_begin(resume->options, run->job, &run->start);
	progress_from(run->progress, resume->point.at.output_offset);
	if (resume_point_prove(&resume->point, run, result))
		transfer_finish(run, result);
	else
		transfer_run(run, result);
	progress_end(run->progress);
}

static int open_wrap(struct resume *resume, struct transfer *run)
{
	int ret = wrap_open(&resume->contents.header, output_sink(run->output), &run->mark,
			    &run->wrap);

	run->output->in_container = run->wrap;
	return ret ? error_line("cannot start the container: %s", strerror(-ret)) : 0;
}

static int note_resumed(struct resume *resume, const struct stream_place *at)
{
	if (journal_resumed(resume->journal, at, resume->output_path) ||
	    (resume->mark && journal_mark(resume->journal, at)))
		return -1;
	state_link(journal_path(resume->journal));
	return journal_sync(resume->journal);
}

/*
 * Data that a killed run left undurable is made durable before more is added to it: never more than
 * an interval may be so, and the next resume looks no further back. Then the line that a run begins
 * here, before the first byte is out.
 */
static int settle(struct resume *resume, const struct stream_place *at)
{
	int ret = output_cut(&resume->output, at->output_offset, at->file_offset);

	if (ret)
		return ret;
	ret = output_sync(&resume->output);
	return ret ? error_line("cannot sync %s: %s", resume->output.name, strerror(-ret)) : 0;
}

/* Of what is complete, another line was printed. */
static void say_where(const struct resume *resume, const struct stream_place *at)
{
	const struct journal_contents *contents = &resume->contents;

	if (!at->output_offset || resume_point_complete(&resume->contents, &resume->point))
		return;
	if (resume->output.file && contents->count && contents->batches[0].output_offset)
		info_line("%s: the checkpoint file goes back to byte %llu; what is before that is "
			  "not read again (sendcp verify reads it)", resume->output.name,
			  contents->batches[0].output_offset);
	if (at->file_offset == at->output_offset)
		info_line("%s: continuing at byte %llu", resume->output.name, at->output_offset);
	else
		info_line("%s: continuing at byte %llu, which is byte %llu of the stream",
			  resume->output.name, at->file_offset, at->output_offset);
}

/* The first run may have had the same file by default. */
static bool kept(const struct resume *resume)
{
	return resume->contents.header.keep || resume->options->new_checkpoint;
}

/* What earlier runs replaced comes first. */
static void add_replaced(const struct resume *resume, struct transfer *run)
{
	struct replaced_list list = { 0 };

	journal_replaced(&resume->contents, run->start.output_offset, &list);
	replaced_add_list(&list, &run->replaced);
	replaced_clear(&run->replaced);
	run->replaced = list;
}

int resume_go_on(struct resume *resume)
{
	struct transfer run = {
		.job = &resume->job,
		.output = &resume->output,
		.journal = resume->journal,
		.start = resume->point.start,
		.mark = resume->point.at,
		.subvolumes = &resume->contents.header.subvolumes,
		.journal_kept = kept(resume),
	};
	struct transfer_result result;
	int code = EXIT_FAILED;

	resume->output.rate.per_second = resume->options->bwlimit;
	make_settings(resume, &run.settings);
	transfer_attach(&run, signals_cancel());
	if (transfer_fit(resume->options, true, &run.settings,
			 &resume->contents.header.container) ||
	    open_wrap(resume, &run) || settle(resume, &run.mark))
		goto detach;
	say_where(resume, &run.mark);
	transfer_expect_report(&run, resume->options, resume->options);
	if (note_resumed(resume, &run.mark))
		result = (struct transfer_result){
			.status = TRANSFER_JOURNAL_FAILED,
			.err = journal_error(resume->journal),
		};
	else
		run_from_point(resume, &run, &result);
	add_replaced(resume, &run);
	code = transfer_report(&run, &result, resume->options, resume->options);
	replaced_clear(&run.replaced);
detach:
	transfer_detach(&run);
	wrap_free(run.wrap);
	return code;
}

int resume_complete(struct resume *resume)
{
	struct replaced_list list = { 0 };
	int code;

	journal_replaced(&resume->contents, UINT64_MAX, &list);
	code = replaced_report(&list, &resume->contents.header.subvolumes, resume->output_path,
			       kept(resume) ? journal_path(resume->journal) : NULL);
	if (code == EXIT_REPLACED)
		error_line("not all data: %llu bytes of files could not be read and are replaced "
			   "in it", list.bytes);
	replaced_clear(&list);
	return code;
}

int resume_close(struct resume *resume, int code)
{
	output_close(&resume->output);
	if (resume->job.source) {
		verbose_statistics(&resume->job);
		send_job_close(&resume->job);
	}
	if (exit_is_complete(code) && resume->journal)
		state_unlink(journal_path(resume->journal));
	if (exit_is_complete(code) && resume->journal && !kept(resume))
		journal_remove(resume->journal);
	else
		journal_close(resume->journal);
	free(resume->known);
	free(resume->output_path);
	journal_clear(&resume->contents);
	return code;
}
