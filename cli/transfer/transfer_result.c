// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reports how a transfer ended and chooses the exit code.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/resume_command.h"
#include "job/role.h"
#include "transfer/command_output.h"
#include "transfer/replaced_report.h"
#include "transfer/transfer_result.h"
#include "util/message.h"
#include "reason_class.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/signals.h"
#include "util/summary.h"

#define FILE_EXPLAINED "FILE below is a file on this host that holds the stream, plain, in zstd " \
		       "or in an archive"

void transfer_report_stop(void)
{
	if (signals_caught())
		error_stopped();
}

/* The first line of an interrupted run says how far this run came. */
static void report_stop(void)
{
	char amount[128], after[160];

	if (!signals_caught())
		return;
	snprintf(after, sizeof(after), " after %s", summary_amount(amount, sizeof(amount)));
	error_stopped_after(after);
}

static void report_write(const struct transfer *run, const struct transfer_result *result)
{
	char amount[128];

	const char *of = run->output->in_container ? " of the stream" : "";

	summary_amount(amount, sizeof(amount));
	if (run->wrap && wrap_starved(run->wrap))
		error_line("out of memory for compressing, after %s%s", amount, of);
	else if (result->err == -EPIPE)
		error_line("%s: the reader is gone after %s%s", run->output->name, amount, of);
	else
		error_line("cannot write to %s: %s, after %s%s", run->output->name,
			   strerror(-result->err), amount, of);
}

/* What became of a subvolume; NULL: the failure is another one. */
static const char *fate_of_subvolume(enum sendcp_reason reason)
{
	switch (reason) {
	case SENDCP_ERR_SUBVOLUME_GONE:
		return "deleted";
	case SENDCP_ERR_SUBVOLUME_CHANGED:
		return "changed";
	case SENDCP_ERR_SUBVOLUME_REPLACED:
		return "replaced by another subvolume";
	default:
		return NULL;
	}
}

static const struct sendcp_subvolume *find_id(const struct sendcp_subvolume *list, size_t count,
					      u64 id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

/* The subvolume that is sent, or one that it is made from: @what is sent in any case. */
static void report_fate(const struct send_job *job, const char *what, u64 id, const char *fate)
{
	const struct sendcp_subvolume *sent = find_id(job->subvolumes, job->count, id);
	const struct sendcp_subvolume *other = find_id(job->clone_sources, job->clone_count, id);
	enum role role = ROLE_CLONE_SOURCE;
	char amount[128];

	summary_amount(amount, sizeof(amount));
	if (sent && !strcmp(sent->spec, what)) {
		error_line("%s: the %s was %s while it was sent, after %s", what,
			   role_text(ROLE_SNAPSHOT), fate, amount);
		return;
	}
	for (size_t i = 0; i < job->count; i++)
		if (job->parents[i] == id)
			role = ROLE_PARENT;
	error_line("%s: the %s %s was %s while it was sent, after %s", what, role_text(role),
		   other ? other->spec : sent ? sent->spec : "", fate, amount);
}

static void report_read(const struct transfer *run, const struct transfer_result *result)
{
	const char *fate = fate_of_subvolume(result->error.reason);
	char text[512], amount[128];

	if (fate && result->error.root != SENDCP_NOWHERE) {
		report_fate(run->job, result->what, result->error.root, fate);
		return;
	}
	error_line("%s: %s, after %s", result->what,
		   sendcp_error_format(&result->error, text, sizeof(text)),
		   summary_amount(amount, sizeof(amount)));
}

/* Returns whether resuming may help. */
static bool report_cause(const struct transfer *run, const struct transfer_result *result)
{
	switch (result->status) {
	case TRANSFER_STOPPED:
		report_stop();
		return true;
	case TRANSFER_COMMAND_FAILED:
		return command_report(run);
	case TRANSFER_WRITE_FAILED:
		if (run->output->command && result->err == -EPIPE)
			return command_report(run);
		report_write(run, result);
		return sendcp_reason_class_errno(result->err).passes;
	case TRANSFER_READ_FAILED:
		report_read(run, result);
		return sendcp_reason_class_read(&result->error).passes;
	case TRANSFER_JOURNAL_FAILED:
		return sendcp_reason_class_errno(result->err).passes;
	default:
		return false;
	}
}

static u64 written(const struct transfer *run)
{
	return run->output->file_offset;
}

/*
 * Of a pipe only the number of bytes that went in is certain. A reader that was killed with the
 * same signal has lost the bytes it had in memory, a compressor has other bytes in its file.
 */
static void report_ways(const struct transfer *run, const char *checkpoint,
			const struct options *devices)
{
	char *resume = resume_command(checkpoint, devices);

	error_line("if HOST has sendcp: %s --have $(ssh HOST sendcp verify --position FILE) | ...",
		   resume);
	if (!run->wrap)
		error_line("if FILE has the bytes of the pipe, neither compressed nor encrypted: "
			   "n=$(ssh HOST stat -c %%s FILE) && %s --at $n | ssh HOST dd of=FILE "
			   "bs=1M oflag=seek_bytes seek=$n conv=notrunc", resume);
	free(resume);
}

/* btrfs receive begins with a stream's header, and what it has received it does not take again. */
static int report_receive(const struct transfer *run)
{
	error_line("btrfs receive cannot resume a stream: delete the incomplete subvolume that it "
		   "left, and send again%s",
		   run->journal && !run->journal_optional ? " with --restart" : "");
	return EXIT_FAILED;
}

static bool file_still_there(const char *path)
{
	return path && !access(path, F_OK);
}

/* The last line. Takes @command over. */
static int report_command(char *command)
{
	error_line("interrupted; resume with: %s", command);
	summary_resume(command);
	free(command);
	return EXIT_BROKEN_OFF;
}

static int report_pipe(const struct transfer *run, const struct options *options,
		       const struct options *devices)
{
	const char *checkpoint = run->journal ? journal_path(run->journal) : NULL;
	const char *file = run->output->reader.file;
	char *command;

	error_line("%llu bytes were written to a pipe; sendcp cannot know how many of them the "
		   "reader kept", written(run));
	if (run->output->reader.receive)
		return report_receive(run);
	if (!file_still_there(file)) {
		file = NULL;
		if (checkpoint)
			report_ways(run, checkpoint, devices);
		error_line("%s", FILE_EXPLAINED);
	}
	command = checkpoint ? resume_command_append(checkpoint, devices, file) :
			       resume_command_alone(options, file);
	return report_command(command);
}

/* Without a journal the file itself shows how far it is. */
static char *file_command(const struct transfer *run, const struct options *options,
			  const struct options *devices)
{
	if (!run->journal)
		return resume_command_alone(options, run->output->name);
	return resume_command_flow(resume_command(journal_path(run->journal), devices), options);
}

static int report_file(const struct transfer *run, const struct options *options,
		       const struct options *devices)
{
	char *command = file_command(run, options, devices);

	return report_command(command);
}

/* The cause of a failed write may be mended, and all bytes in the output are good. */
static int report_later(const struct transfer *run, const struct transfer_result *result,
			const struct options *options, const struct options *devices)
{
	bool output = result->status == TRANSFER_WRITE_FAILED ||
		      result->status == TRANSFER_JOURNAL_FAILED;
	char *command;

	if (run->output->command && (output || result->status == TRANSFER_COMMAND_FAILED))
		return command_report_later(run, options);
	if (!output || !run->output->file)
		return EXIT_FAILED;
	command = file_command(run, options, devices);
	error_line("once that is fixed, resume with: %s", command);
	summary_resume(command);
	free(command);
	return EXIT_FAILED;
}

static void note_path(const char *path, void (*note)(const char *path))
{
	char *whole = path ? absolute_path(path) : NULL;

	note(whole ? whole : path);
	free(whole);
}

/* For the end of the run. */
static void note_files(const struct transfer *run)
{
	note_path(run->output->file ? run->output->name : NULL, summary_output);
	note_path(run->journal ? journal_path(run->journal) : NULL, summary_checkpoint);
}

/* Where nothing is known of the reader yet. */
static char *expected_command(const struct transfer *run, const struct options *options,
			      const struct options *devices)
{
	char *command;

	if (run->output->file)
		return file_command(run, options, devices);
	if (!run->journal)
		return resume_command_alone(options, NULL);
	if (!run->output->command)
		return resume_command_append(journal_path(run->journal), devices, NULL);
	command = resume_command_flow(resume_command(journal_path(run->journal), options), options);
	return options->position_command ? command : resume_command_ask(command, NULL);
}

static char *expected;

static void forget_expected(void)
{
	without_memory_resume(NULL, NULL);
	free(expected);
	expected = NULL;
}

void transfer_expect_report(const struct transfer *run, const struct options *options,
			    const struct options *devices)
{
	forget_expected();
	expected = expected_command(run, options, devices);
	without_memory_resume(run->output->file || run->output->command ? NULL : FILE_EXPLAINED,
			      expected);
}

static int report(const struct transfer *run, const struct transfer_result *result,
		  const struct options *options, const struct options *devices)
{
	note_files(run);
	if (result->status == TRANSFER_COMPLETE) {
		summary_complete(run->output->offset, run->output->file_offset);
		return replaced_report(&run->replaced, run->subvolumes,
				       run->output->file ? run->output->name : NULL,
				       run->journal && run->journal_kept ?
				       journal_path(run->journal) : NULL);
	}
	replaced_report_so_far(&run->replaced);
	if (!report_cause(run, result))
		return report_later(run, result, options, devices);
	if (run->output->file)
		return report_file(run, options, devices);
	if (run->output->command &&
	    (options->position_command || !run->output->reader.receive))
		return command_report_resume(run, options);
	output_find_reader(run->output);
	return report_pipe(run, options, devices);
}

int transfer_report(const struct transfer *run, const struct transfer_result *result,
		    const struct options *options, const struct options *devices)
{
	int code = report(run, result, options, devices);

	/* What is done about an interruption may find no memory, either. */
	if (code != EXIT_BROKEN_OFF)
		forget_expected();
	return code;
}
