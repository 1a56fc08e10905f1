// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes every byte of checkpoints, truncates them at each length, and resumes from them: with the
 * checksum that was right before each is refused. With one that is right again each is refused, or
 * makes a stream (docs/checkpoint.md: a checksum finds damage, not malice) and does no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "image.h"
#include "send/checkpoint.h"
#include "stream.h"

#define SAMPLES_MAX 64u
#define STEPS_MAX 100000u

struct sample {
	u8 *blob;
	size_t size;
	/* Of the first byte of its changes among those of all. */
	u64 first;
	u64 offset;
};

/* A stream, with checkpoints from all over it. */
struct subject {
	const char *image;
	struct sendcp_request request;
	/* One of so many commands' checkpoints is kept. */
	u32 every;
};

static const u64 clone_sources[] = { IMAGE_OLDER };
static const struct subject subjects[] = {
	{ "small", { .protocol = 1, .subvolume = IMAGE_SNAP, .clone_sources = clone_sources,
		     .clone_count = 1 }, 7 },
	{ "small", { .protocol = 2, .flags = SENDCP_SEND_COMPRESSED, .subvolume = IMAGE_SNAP,
		     .parent = IMAGE_OLDER }, 5 },
	{ "moves", { .protocol = 2, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER }, 5 },
};

static const char * const subject_texts[] = { "full", "incremental", "incremental with moves" };

enum change {
	CHANGE_BYTE,
	CHANGE_BYTE_SEALED,
	CHANGE_LENGTH,
	CHANGE_LENGTH_SEALED,
	CHANGES
};

static const char * const change_texts[CHANGES] = {
	"a byte", "a byte, checksum recomputed", "truncated",
	"truncated, length and checksum right",
};

static const struct subject *subject;
static struct image_host host;
static struct sendcp_volume *volume;
static struct sample samples[SAMPLES_MAX];
static u32 sample_count;
static u64 byte_count;
static struct stream whole;
static struct stream stream;
static u64 steps;

static int interrupted(void *private)
{
	return steps++ < STEPS_MAX ? 0 : -EINTR;
}

static struct sendcp_engine *open_engine(void)
{
	struct sendcp_engine *engine;

	if (sendcp_engine_open(volume, &subject->request, &engine, NULL)) {
		fprintf(stderr, "the engine cannot be opened\n");
		exit(1);
	}
	return engine;
}

static void keep(struct sendcp_engine *engine)
{
	struct sample *sample = &samples[sample_count];
	void *blob;

	if (sample_count == SAMPLES_MAX || sendcp_engine_checkpoint(engine, &blob, &sample->size))
		abort();
	sample->blob = blob;
	sample->first = byte_count;
	sample->offset = whole.size;
	byte_count += sample->size;
	sample_count++;
}

static void collect(void)
{
	struct sendcp_engine *engine = open_engine();
	struct sendcp_fill fill = { .size = STREAM_BUFFER, .flags = SENDCP_FILL_ONE_COMMAND };

	whole.size = 0;
	for (u32 i = 0; !fill.end; i++) {
		if (i % subject->every == 0)
			keep(engine);
		fill.buffer = whole.bytes + whole.size;
		if (whole.size > STREAM_MAX || sendcp_engine_fill(engine, &fill))
			abort();
		whole.size += fill.filled;
	}
	sendcp_engine_close(engine);
}

static const struct sample *find_sample(u64 byte)
{
	u32 i = sample_count - 1;

	while (samples[i].first > byte)
		i--;
	return &samples[i];
}

static bool sealed(enum change change)
{
	return change == CHANGE_BYTE_SEALED || change == CHANGE_LENGTH_SEALED;
}

static bool truncated(enum change change)
{
	return change >= CHANGE_LENGTH;
}

static u64 byte_of(enum change change, u64 number)
{
	return truncated(change) ? number : number / PATTERNS;
}

/* A copy of its own size, so that a sanitizer sees reads after its end. NULL: nothing changed. */
static u8 *changed(enum change change, u64 number, size_t *size)
{
	const struct sample *sample = find_sample(byte_of(change, number));
	size_t at = byte_of(change, number) - sample->first;
	u8 *copy;

	*size = truncated(change) ? at : sample->size;
	copy = malloc(*size + !*size);
	if (!copy)
		abort();
	memcpy(copy, sample->blob, *size);
	if (!truncated(change))
		copy[at] = pattern_apply((u32)(number % PATTERNS), copy[at], at);
	if (sealed(change) && *size >= sizeof(struct sendcp_checkpoint_header)) {
		if (truncated(change))
			sendcp_put_le32(copy + offsetof(struct sendcp_checkpoint_header, size),
					(u32)*size);
		sendcp_checkpoint_sign(copy, *size);
	}
	if (*size != sample->size || memcmp(copy, sample->blob, *size))
		return copy;
	free(copy);
	return NULL;
}

static enum outcome failed(char why[CASE_TEXT], const char *text, const struct sendcp_error *error)
{
	char line[300];

	snprintf(why, CASE_TEXT, "%s: %s", text,
		 error ? sendcp_error_format(error, line, sizeof(line)) : "");
	return OUTCOME_FAILED;
}

static enum outcome judge_rest(struct sendcp_engine *engine, const struct sample *sample, char *why)
{
	char fault[CASE_TEXT];
	int ret;

	memcpy(stream.bytes, whole.bytes, sample->offset);
	stream.size = sample->offset;
	ret = stream_fill(&stream, engine);
	if (steps > STEPS_MAX)
		return failed(why, "no end", NULL);
	if (ret)
		return sendcp_engine_error(engine)->reason == SENDCP_ERR_NONE ?
			failed(why, "no reason", NULL) : OUTCOME_REFUSED;
	if (stream.size == whole.size && !memcmp(stream.bytes, whole.bytes, whole.size))
		return OUTCOME_SAME;
	/* What verify and a receiver refuse is never called complete. */
	return stream_well_formed(&stream, fault) ? OUTCOME_FORMED : OUTCOME_REFUSED;
}

static enum outcome run_case(void *context, u64 number, char why[CASE_TEXT])
{
	enum change change = *(enum change *)context;
	const struct sample *sample = find_sample(byte_of(change, number));
	struct sendcp_checkpoint_info info;
	struct sendcp_engine *engine;
	enum outcome outcome;
	size_t size;
	u8 *blob = changed(change, number, &size);
	int ret;

	if (!blob)
		return OUTCOME_NONE;
	steps = 0;
	engine = open_engine();
	ret = sendcp_engine_rearm(engine, blob, size);
	if (!sealed(change) && (ret != -EILSEQ ||
				sendcp_checkpoint_info(blob, size, &info, NULL) != -EILSEQ))
		outcome = failed(why, "not refused", sendcp_engine_error(engine));
	else if (ret)
		outcome = sendcp_engine_error(engine)->reason == SENDCP_ERR_NONE ||
			  steps > STEPS_MAX ? failed(why, "no reason", NULL) : OUTCOME_REFUSED;
	else
		outcome = judge_rest(engine, sample, why);
	sendcp_engine_close(engine);
	free(blob);
	return outcome;
}

static void describe_case(void *context, u64 number, char text[CASE_TEXT])
{
	enum change change = *(enum change *)context;
	u64 byte = byte_of(change, number);
	const struct sample *sample = find_sample(byte);

	snprintf(text, CASE_TEXT, "checkpoint at byte %llu, its byte %llu: %s",
		 (unsigned long long)sample->offset, (unsigned long long)(byte - sample->first),
		 truncated(change) ? "the end" : pattern_text((u32)(number % PATTERNS)));
}

static u64 run_rows(const char *text)
{
	u64 failures = 0;
	char input[100];

	snprintf(input, sizeof(input), "%u checkpoints, %s", sample_count, text);
	for (enum change change = 0; change < CHANGES; change++) {
		struct row row = {
			.input = input,
			.change = change_texts[change],
			.count = truncated(change) ? byte_count : byte_count * PATTERNS,
			.context = &change,
			.run = run_case,
			.describe = describe_case,
		};

		failures += row_run(&row);
	}
	return failures;
}

static u64 run_subject(u32 number)
{
	struct sendcp_host_ops ops;
	struct sendcp_error error;
	struct image *image;
	u64 failures;

	subject = &subjects[number];
	image = image_load(subject->image);
	if (!image || image_host_init(&host, image))
		exit(1);
	ops = *host.host.ops;
	ops.interrupted = interrupted;
	host.host.ops = &ops;
	steps = 0;
	if (image_host_open(&host, &volume, &error))
		exit(1);
	sample_count = 0;
	byte_count = 0;
	collect();
	failures = run_rows(subject_texts[number]);
	for (u32 i = 0; i < sample_count; i++)
		free(samples[i].blob);
	image_host_close(&host, volume);
	image_host_release(&host);
	image_free(image);
	return failures;
}

int main(void)
{
	u64 failures = 0;

	for (u32 i = 0; i < ARRAY_SIZE(subjects); i++)
		failures += run_subject(i);
	return failures ? 1 : 0;
}
