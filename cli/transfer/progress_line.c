// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Progress as text.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transfer/progress_line.h"
#include "util/text.h"

#define BAR_MIN 4
#define BAR_MAX 24
/* Of the bar, "  [" and "]". */
#define BAR_FRAME 4
/* The bar that must be left if these are shown too. */
#define BAR_BESIDE_ELAPSED 10
#define BAR_BESIDE_AVERAGE 16
#define FIELD 64
/* Beyond sense. */
#define LEFT_MAX 1e8

double progress_left(const struct progress_state *state)
{
	const struct activity *activity = &state->activity;
	double left;

	if (!activity->total || state->rate < 1 || state->ended)
		return -1;
	if (activity->total <= activity->bytes)
		return 0;
	left = (double)(activity->total - activity->bytes) / state->rate;
	return left > LEFT_MAX ? -1 : left;
}

double progress_percent(const struct progress_state *state)
{
	const struct activity *activity = &state->activity;

	if (!activity->total)
		return -1;
	if (activity->bytes >= activity->total)
		return 100;
	return (double)activity->bytes / (double)activity->total * 100;
}

/* In the order in which they are shown. */
enum field {
	AMOUNT,
	BAR,
	PERCENT,
	RATE,
	AVERAGE,
	ELAPSED,
	LEFT,
	FIELDS,
};

struct fields {
	char text[FIELDS][FIELD];
	double share;
};

static void make_amount(const struct activity *activity, char *text)
{
	const char *verb = activity->stream ? "" : "read ";
	char done[24], total[24];

	size_text((double)activity->bytes, done, sizeof(done));
	if (activity->total)
		snprintf(text, FIELD, "%s%s of %s", verb, done,
			 size_text((double)activity->total, total, sizeof(total)));
	else
		snprintf(text, FIELD, "%s%s", verb, done);
}

static void make_fields(const struct progress_state *state, struct fields *fields)
{
	double percent = progress_percent(state), left = progress_left(state);
	char number[24];

	memset(fields, 0, sizeof(*fields));
	make_amount(&state->activity, fields->text[AMOUNT]);
	if (percent >= 0)
		snprintf(fields->text[PERCENT], FIELD, "  %3d%%", (int)percent);
	fields->share = percent / 100;
	snprintf(fields->text[RATE], FIELD, "  %s/s",
		 size_text(state->ended ? state->average : state->rate, number, sizeof(number)));
	if (!state->ended)
		snprintf(fields->text[AVERAGE], FIELD, "  avg %s/s",
			 size_text(state->average, number, sizeof(number)));
	snprintf(fields->text[ELAPSED], FIELD, "  %s",
		 clock_text(state->elapsed, number, sizeof(number)));
	if (left >= 0)
		snprintf(fields->text[LEFT], FIELD, "  ETA %s",
			 clock_text(left, number, sizeof(number)));
}

static size_t length_of(const struct fields *fields)
{
	size_t length = 0;

	for (int i = 0; i < FIELDS; i++)
		length += strlen(fields->text[i]);
	return length;
}

static void make_bar(double share, size_t cells, char *text)
{
	size_t filled = (size_t)(share * (double)cells);

	text += sprintf(text, "  [");
	for (size_t i = 0; i < cells; i++)
		*text++ = i < filled ? '#' : '-';
	*text++ = ']';
	*text = '\0';
}

/* Drops @field if with it there is no room for a bar of @cells. */
static void yield_to_bar(struct fields *fields, enum field field, size_t cells, size_t width)
{
	size_t bar = fields->share >= 0 ? cells + BAR_FRAME : 0;

	if (length_of(fields) + bar > width)
		fields->text[field][0] = '\0';
}

static void fit_bar(struct fields *fields, size_t width)
{
	size_t used = length_of(fields) + BAR_FRAME;

	if (fields->share < 0 || used + BAR_MIN > width)
		return;
	make_bar(fields->share, sendcp_min(width - used, BAR_MAX), fields->text[BAR]);
}

void progress_line(const struct progress_state *state, unsigned int width, char *line, size_t size)
{
	struct fields fields;
	size_t used;

	make_fields(state, &fields);
	yield_to_bar(&fields, AVERAGE, BAR_BESIDE_AVERAGE, width);
	yield_to_bar(&fields, ELAPSED, BAR_BESIDE_ELAPSED, width);
	fit_bar(&fields, width);
	/* The one that is not left out, but cut. */
	snprintf(line, sendcp_min(size, (size_t)width + 1), "%s", fields.text[AMOUNT]);
	used = strlen(line);
	for (int i = AMOUNT + 1; i < FIELDS; i++) {
		size_t length = strlen(fields.text[i]);

		if (used + length > width || used + length >= size)
			return;
		memcpy(line + used, fields.text[i], length + 1);
		used += length;
	}
}

const char *progress_doing(const struct activity *activity)
{
	static const char *const words[] = {
		[ACTIVITY_PREPARING] = "preparing",
		[ACTIVITY_READING] = "reading",
		[ACTIVITY_SENDING] = "sending",
		[ACTIVITY_FINISHING] = "finishing",
	};

	return words[activity->kind];
}

__attribute__((format(printf, 3, 4)))
static void add(char *line, size_t size, const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + used, size - used, fmt, args);
	va_end(args);
}

void progress_words(const struct progress_state *state, char *line, size_t size)
{
	const struct activity *activity = &state->activity;
	double percent = progress_percent(state), left = progress_left(state);
	char number[24];

	snprintf(line, size, "%s", progress_doing(activity));
	if (activity->number) {
		add(line, size, " %s: %llu", activity->subject, activity->bytes);
		if (percent >= 0)
			add(line, size, " of %llu", activity->total);
		add(line, size, " bytes");
		if (percent >= 0)
			add(line, size, " (%d%%)", (int)percent);
		add(line, size, ", %s/s", size_text(state->rate, number, sizeof(number)));
	}
	if (left >= 0)
		add(line, size, ", ETA %s", clock_text(left, number, sizeof(number)));
	add(line, size, ", elapsed %s", clock_text(state->elapsed, number, sizeof(number)));
}
