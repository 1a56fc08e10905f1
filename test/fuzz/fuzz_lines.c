// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: text that others hand over: lines of JSON, journals, position tokens, base64.
 *
 * The first byte says which; what is read is printed, and read again: it must be the same then.
 * Of a journal also: its batches are gapless and its marks in order, and each beginning of one that
 * can be read can be read, too, as a crash may leave any.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzzer.h"
#include "journal/format.h"
#include "journal/lines.h"
#include "patches.h"
#include "resume/position.h"
#include "sums.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/text.h"

#define OUTPUT_MAX (1u << 20)

enum mode {
	MODE_JOURNAL,
	MODE_HEADER,
	MODE_LINE,
	MODE_POSITION,
	MODE_BASE64,
	MODES
};

static char text[OUTPUT_MAX];

static char *header_line(struct json_object *object)
{
	struct journal_header header;
	size_t length;
	char *line;

	if (journal_header_parse(object, &header))
		return NULL;
	line = journal_header_line(&header, &length);
	if (!line || strlen(line) != length || line[length - 1] != '\n')
		abort();
	line[length - 1] = '\0';
	journal_header_clear(&header);
	return line;
}

static void try_header(const char *in, size_t size)
{
	struct json_object *object = json_text_parse(in, size);
	char *first = object ? header_line(object) : NULL;
	char *second;

	json_object_put(object);
	if (!first)
		return;
	object = json_line_parse(first, strlen(first));
	if (!object || !journal_recognise(first, strlen(first)))
		abort();
	second = header_line(object);
	if (!second || strcmp(first, second))
		abort();
	json_object_put(object);
	free(second);
	free(first);
}

/* A line with a right sum is one; with one bit changed, anywhere, it is none. */
static void try_line(const char *in, size_t size, unsigned int random)
{
	size_t length = sums_put_lines(in, size, text, sizeof(text));
	struct json_object *object = json_line_parse(text, length);
	char *line;
	u32 at;

	if (!object)
		return;
	at = draw(&random, (u32)length);
	text[at] = (char)(text[at] ^ (1u << draw(&random, 7)));
	if (json_line_parse(text, length))
		abort();
	if (json_object_object_length(object)) {
		json_object_object_del(object, "sum");
		line = json_object_object_length(object) ? json_line_format(object, &length) : NULL;
		json_object_put(object);
		object = line ? json_line_parse(line, length - 1) : NULL;
		if (line && !object)
			abort();
		free(line);
	}
	json_object_put(object);
}

static void try_position(const char *in)
{
	char printed[POSITION_TEXT_SIZE], again[POSITION_TEXT_SIZE];
	struct position position, second;

	if (!position_parse(in, &position))
		return;
	position_text(&position, printed);
	if (!position_parse(printed, &second) || position.file != second.file ||
	    position.plain != second.plain || position.in_container != second.in_container ||
	    memcmp(position.hash, second.hash, sizeof(second.hash)) ||
	    strcmp(position_text(&second, again), printed))
		abort();
	if (!position.in_container && position.plain != position.file)
		abort();
}

static void try_base64(const char *in, size_t size)
{
	char *printed = base64_encode(in, size);
	size_t back;
	void *bytes = base64_decode(printed, &back);

	if (!bytes || back != size || memcmp(bytes, in, size))
		abort();
	free(bytes);
	free(printed);
	bytes = base64_decode(in, &back);
	if (!bytes)
		return;
	printed = base64_encode(bytes, back);
	if (strcmp(printed, in))
		abort();
	free(printed);
	free(bytes);
}

static int read_text(const char *bytes, size_t size, struct journal_contents *contents)
{
	int fd = memfd_create("journal", 0);
	int ret;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	ret = journal_read(fd, "fuzz", contents);
	close(fd);
	return ret;
}

static void check_batches(const struct journal_contents *contents)
{
	for (size_t i = 0; i < contents->count; i++) {
		const struct journal_batch *batch = &contents->batches[i];

		if (batch->length > JOURNAL_BATCH_MAX || journal_batch_end(batch) > INT64_MAX ||
		    batch->subvolume >= contents->header.subvolumes.count ||
		    batch->stream_offset > batch->output_offset || !batch->checkpoint ||
		    (i && journal_batch_end(batch - 1) != batch->output_offset))
			abort();
	}
}

static void check_contents(const struct journal_contents *contents, size_t size)
{
	if (contents->good_size > size || contents->header_length > size)
		abort();
	check_batches(contents);
	for (size_t i = 0; i < contents->mark_count; i++) {
		const struct stream_place *mark = &contents->marks[i];

		if (mark->output_offset > journal_made(contents) ||
		    mark->file_offset > INT64_MAX ||
		    (i && (mark->output_offset < mark[-1].output_offset ||
			   mark->file_offset <= mark[-1].file_offset)))
			abort();
	}
}

/* What was read, as lines again. */
static size_t print_journal(const struct journal_contents *contents, char **out)
{
	size_t capacity = 0, filled = 0, length;

	*out = NULL;
	for (size_t i = 0; i <= contents->count; i++) {
		char *line = i ? journal_batch_line(&contents->batches[i - 1], &length) :
				 journal_header_line(&contents->header, &length);

		if (!line)
			abort();
		*out = xgrow(*out, &capacity, filled + length, 1);
		memcpy(*out + filled, line, length);
		filled += length;
		free(line);
	}
	return filled;
}

static bool same_batch(const struct journal_batch *a, const struct journal_batch *b)
{
	return a->subvolume == b->subvolume && a->end == b->end && a->length == b->length &&
	       a->stream_offset == b->stream_offset && a->output_offset == b->output_offset &&
	       a->synced == b->synced && a->time == b->time &&
	       !memcmp(a->hash, b->hash, sizeof(a->hash)) &&
	       a->checkpoint_size == b->checkpoint_size &&
	       !memcmp(a->checkpoint, b->checkpoint, a->checkpoint_size);
}

static void read_again(const struct journal_contents *contents)
{
	struct journal_contents second;
	char *printed;
	size_t size = print_journal(contents, &printed);

	if (read_text(printed, size, &second) || second.count != contents->count ||
	    second.good_size != size)
		abort();
	for (size_t i = 0; i < second.count; i++)
		if (!same_batch(&second.batches[i], &contents->batches[i]))
			abort();
	journal_clear(&second);
	free(printed);
}

static void try_journal(const char *in, size_t size, unsigned int random)
{
	size_t length = sums_put_lines(in, size, text, sizeof(text));
	struct journal_contents contents, torn;
	size_t cut;

	if (read_text(text, length, &contents))
		return;
	check_contents(&contents, length);
	read_again(&contents);
	/* Marks and batches may be replaced by later lines, but not made unreadable by a cut. */
	cut = contents.header_length + draw(&random, (u32)(length - contents.header_length) + 1);
	journal_clear(&contents);
	if (read_text(text, cut, &torn))
		abort();
	check_contents(&torn, cut);
	journal_clear(&torn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int random;
	char *in;

	if (size < 2)
		return 0;
	random = data[1];
	in = malloc(size - 1);
	if (!in)
		abort();
	memcpy(in, data + 2, size - 2);
	in[size - 2] = '\0';
	switch (data[0] % MODES) {
	case MODE_JOURNAL:
		try_journal(in, size - 2, random);
		break;
	case MODE_HEADER:
		try_header(in, size - 2);
		break;
	case MODE_LINE:
		try_line(in, size - 2, random);
		break;
	case MODE_POSITION:
		try_position(in);
		break;
	default:
		try_base64(in, size - 2);
	}
	free(in);
	return 0;
}

/* The lines after the first one change in their numbers and their order. */
static size_t change_text(uint8_t *data, size_t size, size_t max_size, unsigned int *random)
{
	size_t at = 2 + draw(random, (u32)size - 1);
	uint8_t *from, *end;

	if (at >= size)
		return size;
	if (draw(random, 2)) {
		while (at < size && (data[at] < '0' || data[at] > '9'))
			at++;
		if (at < size)
			data[at] = (uint8_t)('0' + draw(random, 10));
		return size;
	}
	from = memchr(data + at, '\n', size - at);
	end = from ? memchr(from + 1, '\n', (size_t)(data + size - from - 1)) : NULL;
	if (!end || size + (size_t)(end - from) > max_size)
		return size;
	memcpy(data + size, from + 1, (size_t)(end - from));
	return size + (size_t)(end - from);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if (size > 16 && draw(&random, 2))
		return change_text(data, size, max_size, &random);
	return LLVMFuzzerMutate(data, size, max_size);
}
