// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small stream of random bytes as sendcp keeps it.
 */
#include <stdlib.h>

#include "container/wrap.h"
#include "journal/lines.h"
#include "patches.h"
#include "sample.h"

static int put_file(struct sink *sink, const void *data, size_t size)
{
	/* The sink is the first member. */
	struct sample *sample = (struct sample *)sink;

	if (size > SAMPLE_ROOM - sample->file_size)
		abort();
	memcpy(sample->file + sample->file_size, data, size);
	sample->file_size += size;
	return 0;
}

/* Takes @line over. */
static void put_journal(struct sample *sample, char *line, size_t length)
{
	if (!line || length > SAMPLE_ROOM - sample->journal_size)
		abort();
	memcpy(sample->journal + sample->journal_size, line, length);
	sample->journal_size += length;
	free(line);
}

static void put_header(struct sample *sample, struct journal_header *header)
{
	size_t length;
	char *line = journal_header_line(header, &length);

	put_journal(sample, line, length);
}

/* All so far can be read without what follows. */
static void put_mark(struct sample *sample, struct wrap *wrap)
{
	struct stream_place place;
	size_t length;
	char *line;

	if (wrap_cut(wrap))
		abort();
	wrap_place(wrap, &place);
	line = journal_place_line("mark", &place, true, NULL, &length);
	put_journal(sample, line, length);
	if (wrap_release(wrap))
		abort();
}

static void put_batch(struct sample *sample, struct wrap *wrap, const struct journal_batch *batch,
		      const u8 *data)
{
	size_t length;
	char *line = journal_batch_line(batch, &length);

	if (!line || (wrap && wrap_batch(wrap, data, batch->length, line, length)))
		abort();
	put_journal(sample, line, length);
	if (!wrap)
		put_file(&sample->sink, data, batch->length);
}

static void put_end(struct sample *sample, struct wrap *wrap, u64 size)
{
	struct stream_place place = { .output_offset = size };
	size_t length;
	char *line = journal_complete_line(size, &length);

	if (!line || (wrap && wrap_finish(wrap, line, length)))
		abort();
	free(line);
	place.file_offset = sample->file_size;
	line = journal_place_line("complete", &place, wrap, NULL, &length);
	put_journal(sample, line, length);
}

static void fill_batch(struct journal_batch *batch, u8 *data, unsigned int *random)
{
	u32 range = draw(random, 2) ? 256 : 2 + draw(random, 6);

	batch->length = 1 + draw(random, SAMPLE_BATCH_MAX);
	for (u32 i = 0; i < batch->length; i++)
		data[i] = (u8)draw(random, range);
	hash_of(data, batch->length, batch->hash);
}

static void put_batches(struct sample *sample, struct wrap *wrap, unsigned int *random)
{
	static u8 data[SAMPLE_BATCH_MAX];
	u32 count = 1 + draw(random, SAMPLE_BATCHES);
	bool complete = draw(random, 2);
	struct journal_batch batch = { .checkpoint = (void *)"CKPT", .checkpoint_size = 4 };

	for (u32 i = 0; i < count; i++) {
		fill_batch(&batch, data, random);
		batch.end = complete && i + 1 == count;
		put_batch(sample, wrap, &batch, data);
		batch.output_offset += batch.length;
		batch.stream_offset += batch.length;
		if (wrap && draw(random, 2))
			put_mark(sample, wrap);
	}
	if (complete)
		put_end(sample, wrap, batch.output_offset);
}

void sample_make(struct sample *sample, const struct container_spec *container,
		 unsigned int *random)
{
	static const struct stream_place beginning;
	struct identity identity = { .id = 257, .uuid = "some subvolume.", .ctransid = 9,
				     .spec = (char *)"s", .path = (char *)"/s" };
	struct journal_header header = {
		.tool = (char *)"0", .protocol = 1, .buffer_size = 1 << 20, .buffers = 4,
		.interval = 1 << 20, .output = (char *)"/o", .container = *container,
		.subvolumes = { .identities = &identity, .count = 1 },
	};
	struct wrap *wrap = NULL;

	*sample = (struct sample){ .sink = { .write = put_file } };
	put_header(sample, &header);
	if (!container_is_plain(container) &&
	    wrap_open(&header, &sample->sink, &beginning, &wrap))
		abort();
	put_batches(sample, wrap, random);
	wrap_free(wrap);
}
