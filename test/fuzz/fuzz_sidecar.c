// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: journals whose lines carry right checksums, with any contents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzzer.h"
#include "journal/format.h"
#include "patches.h"
#include "sums.h"

#define OUTPUT_MAX (1u << 20)

/* The lines after the first one; the first line itself is asked of the program. */
static const char batches[] =
	"{\"type\":\"batch\",\"subvolume\":0,\"stream_offset\":0,\"output_offset\":0,\"length\":9,"
	"\"xxh3_128\":\"000102030405060708090a0b0c0d0e0f\",\"checkpoint\":\"U0VORA==\"}\n"
	"{\"type\":\"replaced\",\"output_offset\":0,\"replaced\":{\"ranges\":[{\"subvolume\":0,"
	"\"path\":\"f\",\"offset\":0,\"length\":4096,\"by\":\"zeros\"}],\"more_ranges\":1,"
	"\"bytes\":8192}}\n"
	"{\"type\":\"delivered\",\"output_offset\":5}\n"
	"{\"type\":\"resumed\",\"output\":\"/p\"}\n"
	"{\"type\":\"batch\",\"subvolume\":0,\"stream_offset\":9,\"output_offset\":9,\"length\":0,"
	"\"end\":true,\"xxh3_128\":\"000102030405060708090a0b0c0d0e0f\",\"checkpoint\":\"\"}\n"
	"{\"type\":\"complete\"}\n";
static char example[4096];
static size_t example_size;

static char text[OUTPUT_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct identity identity = { .id = 257, .uuid = "some subvolume.", .ctransid = 9,
			   .spec = (char *)"s", .path = (char *)"/s" };
	struct identity_list identities = { .identities = &identity, .count = 1 };
	char *devices[] = { (char *)"/a", (char *)"/b" };
	struct journal_header header = {
		.tool = (char *)"0", .image = true, .devices = devices, .device_count = 2,
		.protocol = 2, .flags = 16, .buffer_size = 1 << 20, .buffers = 4,
		.interval = 1 << 26, .output = (char *)"/o", .subvolumes = identities,
		.clone_sources = identities, .sources_grow = true,
	};
	struct json_object *object = journal_header_json(&header);
	const char *line;

	if (!object)
		exit(1);
	line = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	example_size = (size_t)snprintf(example, sizeof(example), "%s\n%s", line, batches);
	json_object_put(object);
	return 0;
}

/* Replaces a digit: lines that contradict each other are found by that. */
static size_t change_digit(uint8_t *data, size_t size, unsigned int *random)
{
	u32 start = draw(random, (u32)size);
	size_t i;

	for (i = 0; i < size; i++) {
		uint8_t *c = &data[(start + i) % size];

		if (*c >= '0' && *c <= '9') {
			*c = (uint8_t)('0' + draw(random, 10));
			break;
		}
	}
	return size;
}

static size_t repeat_line(uint8_t *data, size_t size, size_t max_size, unsigned int *random)
{
	uint8_t *from = data + draw(random, (u32)size);
	uint8_t *newline = memchr(from, '\n', (size_t)(data + size - from));
	uint8_t *end;
	size_t length;

	if (!newline)
		return size;
	end = memchr(newline + 1, '\n', (size_t)(data + size - newline - 1));
	length = end ? (size_t)(end - newline) : 0;
	if (size + length > max_size)
		return size;
	memcpy(data + size, newline + 1, length);
	return size + length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if (size < 16 && max_size >= example_size) {
		memcpy(data, example, example_size);
		return example_size;
	}
	switch (draw(&random, 4)) {
	case 0:
		return size ? change_digit(data, size, &random) : 0;
	case 1:
		return size ? repeat_line(data, size, max_size, &random) : 0;
	default:
		return LLVMFuzzerMutate(data, size, max_size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = sums_put_lines((const char *)data, size, text, sizeof(text));
	int fd = memfd_create("sidecar", 0);
	struct journal_contents contents;

	if (fd < 0)
		return 0;
	if (write(fd, text, length) == (ssize_t)length && !journal_read(fd, "fuzz", &contents)) {
		if (contents.good_size > length)
			abort();
		journal_clear(&contents);
	}
	close(fd);
	return 0;
}
