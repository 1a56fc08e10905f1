// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that shows what the program is doing.
 *
 * It allocates nothing, and reads what it shows from activity.h, so that it works in every part of
 * every command.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer/printer.h"
#include "transfer/progress.h"
#include "transfer/progress_line.h"
#include "util/json_report.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/terminal.h"
#include "util/text.h"
#include "util/title.h"

#define BAR_PERIOD_NS 250000000LL
#define LINE_PERIOD_NS 1000000000LL
/* The rate of late is that of some seconds, so that the time left does not jump. */
#define RATE_SECONDS 4.0
/* Less says nothing. */
#define RATE_STEP 0.05

enum show {
	SHOW_NOTHING,
	SHOW_BAR,
	SHOW_LINES,
	SHOW_JSON,
};

static struct {
	enum show show;
	bool title;
	const char *command;
	struct timespec begun;
	pthread_t thread;
	bool running;

	/* Of all that follows. */
	pthread_mutex_t lock;
	bool ended;
	/* The activity that the rate is of, and the last look at it. */
	unsigned int number;
	u64 last_bytes;
	struct timespec last_time;
	double rate;
} printer = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Smoothed, with a weight that does not depend on how often this is called. */
static void update_rate(const struct activity *activity)
{
	double seconds, rate, weight;

	if (printer.number != activity->number || activity->bytes < printer.last_bytes) {
		printer.number = activity->number;
		printer.last_bytes = activity->first;
		printer.last_time = activity->begun;
		printer.rate = 0;
	}
	seconds = seconds_since(&printer.last_time);
	if (seconds < RATE_STEP)
		return;
	rate = (double)(activity->bytes - printer.last_bytes) / seconds;
	weight = seconds / (seconds + RATE_SECONDS);
	printer.rate = printer.rate > 0 ? printer.rate + weight * (rate - printer.rate) : rate;
	printer.last_bytes = activity->bytes;
	clock_gettime(CLOCK_MONOTONIC, &printer.last_time);
}

static void get_state(struct progress_state *state)
{
	struct activity *activity = &state->activity;

	activity_get(activity);
	state->ended = activity->kind == ACTIVITY_FINISHING;
	state->rate = 0;
	state->average = 0;
	state->elapsed = seconds_since(&printer.begun);
	if (!activity->number)
		return;
	update_rate(activity);
	state->elapsed = seconds_since(&activity->begun);
	if (state->elapsed > 0)
		state->average = (double)(activity->bytes - activity->first) / state->elapsed;
	state->rate = state->ended ? state->average : printer.rate;
}

static void show_status(const struct progress_state *state)
{
	const struct activity *activity = &state->activity;
	char line[JSON_REPORT_ESCAPE * sizeof(activity->subject) + JSON_REPORT_ROOM];
	double percent = progress_percent(state), left = progress_left(state);
	struct json_report report;

	json_report_begin(&report, line, sizeof(line), "status");
	json_report_string(&report, "doing", progress_doing(activity));
	json_report_u64(&report, "bytes", activity->bytes);
	if (activity->total)
		json_report_u64(&report, "total", activity->total);
	else
		json_report_null(&report, "total");
	if (percent >= 0)
		json_report_decimal(&report, "percent", percent);
	else
		json_report_null(&report, "percent");
	json_report_u64(&report, "bytes_per_second", (u64)state->rate);
	json_report_decimal(&report, "seconds_elapsed", seconds_since(&printer.begun));
	if (left >= 0)
		json_report_u64(&report, "seconds_left", (u64)left);
	else
		json_report_null(&report, "seconds_left");
	json_report_string(&report, "subvolume", activity->stream ? activity->subject : NULL);
	terminal_print(line, json_report_end(&report));
}

/* One column is left free: some terminals wrap a line as soon as it is full. */
static void show_bar(const struct progress_state *state)
{
	char line[512];
	unsigned int width = terminal_width();

	width = sendcp_min(width, sizeof(line) - 1);
	progress_line(state, width > 1 ? width - 1 : width, line, sizeof(line));
	terminal_show(line);
}

static void show_line(const struct progress_state *state)
{
	char line[PROGRESS_WIDTH_MAX + 2];
	size_t length;

	progress_line(state, PROGRESS_WIDTH_MAX, line, sizeof(line) - 1);
	length = strlen(line);
	line[length++] = '\n';
	terminal_print(line, length);
}

/* The last part of a path: a title is short. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void set_title(const struct progress_state *state)
{
	const struct activity *activity = &state->activity;
	double percent = progress_percent(state);
	char title[512], share[16] = "", done[24], total[24], of[40] = "";

	if (!activity->number)
		return;
	if (percent >= 0) {
		snprintf(share, sizeof(share), " %d%%", (int)percent);
		snprintf(of, sizeof(of), " of %s",
			 size_text((double)activity->total, total, sizeof(total)));
	}
	snprintf(title, sizeof(title), "sendcp %s %s:%s %s%s", printer.command,
		 last_part(activity->subject), share,
		 size_text((double)activity->bytes, done, sizeof(done)), of);
	title_set(title);
}

static void show_periodically(const struct progress_state *state)
{
	bool counted = state->activity.kind != ACTIVITY_PREPARING;

	if (printer.show == SHOW_JSON)
		show_status(state);
	else if (printer.show == SHOW_BAR && counted)
		show_bar(state);
	else if (printer.show == SHOW_LINES && counted)
		show_line(state);
	if (printer.title)
		set_title(state);
}

static void show_what_was_asked(const struct progress_state *state)
{
	char words[512];

	if (printer.show == SHOW_JSON) {
		show_status(state);
		return;
	}
	progress_want_total();
	progress_words(state, words, sizeof(words));
	notice_line("%s", words);
}

static bool show(bool asked)
{
	struct progress_state state;
	bool ended;

	pthread_mutex_lock(&printer.lock);
	ended = printer.ended;
	if (!ended) {
		get_state(&state);
		if (asked)
			show_what_was_asked(&state);
		else
			show_periodically(&state);
	}
	pthread_mutex_unlock(&printer.lock);
	return !ended;
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *print_often(void *unused)
{
	const long long period = printer.show == SHOW_BAR ? BAR_PERIOD_NS : LINE_PERIOD_NS;
	long long next = now_ns() + period;
	bool more = true;

	while (more) {
		long long left = next - now_ns();
		struct timespec patience = {
			.tv_sec = left > 0 ? left / 1000000000LL : 0,
			.tv_nsec = left > 0 ? left % 1000000000LL : 0,
		};

		if (signals_wait_report(&patience)) {
			more = show(true);
		} else if (now_ns() >= next) {
			more = show(false);
			next = now_ns() + period;
		}
	}
	return NULL;
}

static bool stdout_is_stderr(void)
{
	struct stat out, err;

	return isatty(STDOUT_FILENO) && !fstat(STDOUT_FILENO, &out) &&
	       !fstat(STDERR_FILENO, &err) && out.st_rdev == err.st_rdev;
}

static bool stdout_is_pipe(void)
{
	struct stat out;

	return !fstat(STDOUT_FILENO, &out) && S_ISFIFO(out.st_mode);
}

/*
 * Would what the command writes be on the terminal too, where a bar would mix with it? What dump
 * writes into a pipe may be shown there by a pager.
 */
static bool would_mix(const char *command)
{
	if (!strcmp(command, "dump"))
		return stdout_is_stderr() || stdout_is_pipe();
	return !strcmp(command, "cat") && stdout_is_stderr();
}

static enum show choose(const struct options *options, const char *command)
{
	bool terminal = isatty(STDERR_FILENO);

	switch (options->progress) {
	case PROGRESS_JSON:
		return SHOW_JSON;
	case PROGRESS_ALWAYS:
		return terminal ? SHOW_BAR : SHOW_LINES;
	case PROGRESS_AUTO:
		if (terminal && options->verbosity >= 0 && !would_mix(command))
			return SHOW_BAR;
		return SHOW_NOTHING;
	default:
		return SHOW_NOTHING;
	}
}

void printer_begin(const struct options *options, const char *command)
{
	printer.show = choose(options, command);
	printer.command = command;
	printer.title = options->title;
	if (printer.title)
		title_begin();
	clock_gettime(CLOCK_MONOTONIC, &printer.begun);
	/* Without it the command does what it is for all the same. */
	printer.running = !signals_thread(&printer.thread, print_often, NULL);
}

bool printer_wants_total(void)
{
	return printer.show != SHOW_NOTHING || printer.title;
}

void printer_settle(void)
{
	if (printer.show == SHOW_BAR || printer.show == SHOW_LINES)
		show(false);
	terminal_keep();
	terminal_allow(false);
}

void printer_end(void)
{
	if (printer.show == SHOW_JSON)
		show(false);
	pthread_mutex_lock(&printer.lock);
	printer.ended = true;
	pthread_mutex_unlock(&printer.lock);
	if (printer.running) {
		signals_wake_report(printer.thread);
		pthread_join(printer.thread, NULL);
	}
	printer.running = false;
	terminal_allow(false);
}
