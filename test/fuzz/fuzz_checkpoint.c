// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: checkpoints, damaged but with a right checksum, and resuming from them.
 */
#include <stdlib.h>

#include "drive.h"
#include "fuzzer.h"
#include "patches.h"
#include "send/checkpoint.h"

#define SAMPLES_MAX 256u
/* One of so many commands' checkpoints is kept. */
#define SAMPLE_EVERY 11u

struct sample {
	u8 *blob;
	size_t size;
};

static struct image *image;
static struct image_host host;
static struct sendcp_volume *volume;
static struct sample samples[SAMPLES_MAX];
static u32 sample_count;

static void keep_sample(struct sendcp_engine *engine)
{
	struct sample *sample = &samples[sample_count];
	void *blob;

	if (sample_count == SAMPLES_MAX)
		return;
	if (!sendcp_engine_checkpoint(engine, &blob, &sample->size)) {
		sample->blob = blob;
		sample_count++;
	}
}

static struct drive make_drive(u32 protocol, u32 flags, u64 parent)
{
	struct drive drive = {
		.volume = volume,
		.request = {
			.protocol = protocol,
			.flags = SENDCP_SEND_WRITABLE_OK | flags,
			.subvolume = IMAGE_SNAP,
			.parent = parent,
		},
		.buffer_size = sendcp_buffer_min(protocol),
	};

	return drive;
}

static void collect_samples(u32 protocol, u32 flags, u64 parent)
{
	struct drive drive = make_drive(protocol, flags, parent);
	struct sendcp_fill fill = {
		.buffer = malloc(drive.buffer_size),
		.size = drive.buffer_size,
		.flags = SENDCP_FILL_ONE_COMMAND,
	};
	struct sendcp_engine *engine;
	u32 i;

	if (!fill.buffer || sendcp_engine_open(volume, &drive.request, &engine, NULL))
		abort();
	for (i = 0; !fill.end; i++) {
		if (i % SAMPLE_EVERY == 0)
			keep_sample(engine);
		if (sendcp_engine_fill(engine, &fill))
			abort();
	}
	sendcp_engine_close(engine);
	free(fill.buffer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sendcp_error error;

	image = image_load("changes");
	if (!image || image_host_init(&host, image) ||
	    image_host_open(&host, &volume, &error))
		exit(1);
	collect_samples(2, SENDCP_SEND_COMPRESSED, 0);
	collect_samples(1, 0, IMAGE_OLDER);
	return 0;
}

/* Offset of the fields that differ between checkpoints. */
static size_t body(size_t size)
{
	size_t at = sizeof(struct sendcp_checkpoint_header) + sizeof(struct sendcp_checkpoint_pin);

	return size > at ? at : 0;
}

static void change_field(u8 *data, size_t size, unsigned int *random)
{
	size_t from = draw(random, 8) ? body(size) : 0;
	u32 range = draw(random, 2) ? 160 : (u32)(size - from);
	size_t at = from + draw(random, (u32)sendcp_min(range, size - from));
	u32 length = (u32)sendcp_min(1u << draw(random, 4), size - at);
	u8 bytes[8] = { 0 };

	memcpy(bytes, data + at, length);
	sendcp_put_le64(bytes, nasty_value(random, sendcp_get_le64(bytes), length));
	memcpy(data + at, bytes, length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;
	const struct sample *sample = &samples[draw(&random, sample_count)];
	size_t from;

	if (size < sizeof(struct sendcp_checkpoint_header) || !draw(&random, 16)) {
		size = sample->size > max_size ? 0 : sample->size;
		memcpy(data, sample->blob, size);
	}
	if (!size)
		return 0;
	from = body(size);
	if (draw(&random, 3))
		change_field(data, size, &random);
	else
		size = from + LLVMFuzzerMutate(data + from, size - from, max_size - from);
	return size;
}

/* Everything before the body is made as in a checkpoint of this image. */
static void make_credible(u8 *blob, size_t size)
{
	struct sendcp_checkpoint_header *header = (void *)blob;

	memcpy(header->magic, SENDCP_CHECKPOINT_MAGIC, sizeof(header->magic));
	header->size = cpu_to_le32((u32)size);
	sendcp_checkpoint_sign(blob, size);
}

static void go_on(const u8 *blob, size_t size)
{
	const struct sendcp_checkpoint_header *header = (const void *)blob;
	struct drive drive = make_drive(le32_to_cpu(header->protocol),
					le32_to_cpu(header->flags) & SENDCP_SEND_COMPRESSED,
					header->parent ? IMAGE_OLDER : 0);
	struct sendcp_engine *engine;

	drive.forged = true;
	if (sendcp_engine_open(volume, &drive.request, &engine, NULL))
		return;
	if (sendcp_engine_rearm(engine, blob, size))
		sendcp_engine_close(engine);
	else
		drive_engine(&drive, engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sendcp_checkpoint_info info;
	struct sendcp_error error;
	u8 *blob = malloc(size ? size : 1);

	if (!blob)
		return 0;
	memcpy(blob, data, size);
	sendcp_checkpoint_info(blob, size, &info, &error);
	if (size >= sizeof(struct sendcp_checkpoint_header)) {
		make_credible(blob, size);
		sendcp_checkpoint_info(blob, size, &info, &error);
		go_on(blob, size);
	}
	free(blob);
	return 0;
}
