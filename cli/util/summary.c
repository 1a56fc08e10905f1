// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is said at the end of a run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/activity.h"
#include "util/json_report.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/summary.h"
#include "util/terminal.h"
#include "util/text.h"

static struct {
	char *output;
	char *checkpoint;
	char *resume;
	bool checkpoint_removed;
	bool complete;
	u64 written;
	u64 replaced_ranges;
	u64 replaced_bytes;
	struct timespec begun;
	bool printed;
} summary;

static void at_exit(int exit_status, void *unused)
{
	summary_print(exit_status);
}

void summary_begin(void)
{
	clock_gettime(CLOCK_MONOTONIC, &summary.begun);
	on_exit(at_exit, NULL);
}

static void keep(char **place, const char *text)
{
	free(*place);
	*place = text ? strdup(text) : NULL;
}

void summary_output(const char *path)
{
	keep(&summary.output, path);
}

void summary_checkpoint(const char *path)
{
	keep(&summary.checkpoint, path);
	summary.checkpoint_removed = false;
}

void summary_resume(const char *command)
{
	keep(&summary.resume, command);
}

void summary_checkpoint_removed(void)
{
	summary.checkpoint_removed = true;
}

void summary_complete(u64 bytes, u64 written)
{
	struct activity activity;

	activity_get(&activity);
	if (!activity.stream)
		summary_nothing_left(bytes);
	summary.complete = true;
	summary.written = written;
	keep(&summary.resume, NULL);
}

void summary_replaced(u64 ranges, u64 bytes)
{
	summary.replaced_ranges = ranges;
	summary.replaced_bytes = bytes;
}

void summary_nothing_left(u64 bytes)
{
	activity_begin(ACTIVITY_SENDING, "", bytes, bytes);
	activity_end();
}

/* Of a stream; without one, that nothing of it was sent. */
static void get_stream(struct activity *activity)
{
	activity_get(activity);
	if (activity->stream)
		return;
	*activity = (struct activity){ .begun = summary.begun };
}

char *summary_amount(char *text, size_t size)
{
	char time[24], from[40] = "";
	struct activity activity;

	get_stream(&activity);
	if (activity.first)
		snprintf(from, sizeof(from), ", from byte %llu", activity.first);
	snprintf(text, size, "%llu bytes in %s%s", activity.bytes - activity.first,
		 duration_text(seconds_since(&activity.begun), time, sizeof(time)), from);
	return text;
}

static double rate_of(const struct activity *activity)
{
	double seconds = activity->number ? seconds_since(&activity->begun) : 0;

	return seconds > 0 ? (double)(activity->bytes - activity->first) / seconds : 0;
}

/* What became of the checkpoint file, if there was one. */
static const char *fate(void)
{
	if (!summary.checkpoint)
		return "";
	return summary.checkpoint_removed ? " removed" : " kept";
}

static void print_line(void)
{
	char amount[128], rate[24], said[256], output[48] = "", head[160] = "complete";
	struct activity activity;
	const char *path = summary.checkpoint;

	activity_get(&activity);
	/* In a container. */
	if (summary.written != activity.bytes)
		snprintf(output, sizeof(output), " (output: %llu bytes)", summary.written);
	if (activity.bytes == activity.first)
		snprintf(said, sizeof(said), "all %llu bytes were there", activity.bytes);
	else
		snprintf(said, sizeof(said), "%s, %s/s%s",
			 summary_amount(amount, sizeof(amount)),
			 size_text(rate_of(&activity), rate, sizeof(rate)), output);
	if (summary.replaced_ranges)
		snprintf(head, sizeof(head), "not all data: %llu bytes in %llu range%s of files "
			 "could not be read and are replaced; the rest", summary.replaced_bytes,
			 summary.replaced_ranges, summary.replaced_ranges == 1 ? "" : "s");
	notice_line("%s: %s%s%s%s%s", head, said, path ? "; " : "",
		    path && !summary.checkpoint_removed ? "checkpoint file " : "",
		    path ? path : "", fate());
}

static const char *result(int exit_status)
{
	if (exit_status == EXIT_DONE)
		return "complete";
	if (exit_status == EXIT_REPLACED)
		return "replaced";
	return exit_status == EXIT_BROKEN_OFF || signals_caught() ? "interrupted" : "failed";
}

static void put_numbers(struct json_report *report, bool complete)
{
	struct activity activity;
	u64 total;

	activity_get(&activity);
	total = complete && activity.number ? activity.bytes : activity.total;
	json_report_u64(report, "bytes", activity.bytes);
	if (total)
		json_report_u64(report, "total", total);
	else
		json_report_null(report, "total");
	json_report_u64(report, "first_byte", activity.first);
	json_report_decimal(report, "seconds", seconds_since(&summary.begun));
	json_report_u64(report, "bytes_per_second", (u64)rate_of(&activity));
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

static void print_object(int exit_status)
{
	size_t size = JSON_REPORT_ROOM + JSON_REPORT_ESCAPE *
		      (length_of(summary.output) + length_of(summary.checkpoint) +
		       length_of(summary.resume));
	char without[JSON_REPORT_ROOM], *line = malloc(size);
	struct json_report report;

	json_report_begin(&report, line ? line : without, line ? size : sizeof(without),
			  "summary");
	json_report_string(&report, "result", result(exit_status));
	json_report_u64(&report, "exit_status", (u64)exit_status);
	put_numbers(&report, exit_is_complete(exit_status));
	json_report_u64(&report, "replaced_ranges", summary.replaced_ranges);
	json_report_u64(&report, "replaced_bytes", summary.replaced_bytes);
	json_report_string(&report, "output", line ? summary.output : NULL);
	json_report_string(&report, "checkpoint",
			   line && !summary.checkpoint_removed ? summary.checkpoint : NULL);
	json_report_string(&report, "resume", line ? summary.resume : NULL);
	terminal_close(report.line, json_report_end(&report));
	free(line);
}

void summary_print(int exit_status)
{
	if (summary.printed)
		return;
	summary.printed = true;
	if (message_json())
		print_object(exit_status);
	else if (summary.complete && exit_is_complete(exit_status) && message_verbosity() >= 0)
		print_line();
	keep(&summary.output, NULL);
	keep(&summary.checkpoint, NULL);
	keep(&summary.resume, NULL);
}
