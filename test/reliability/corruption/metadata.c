// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes every byte of every tree block and superblock that a full and an incremental send of a
 * small image read, and sends again.
 *
 * Arguments: single, dup, mixed, raid1 (profiles of test/unit/images/make.sh).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sendcp/ondisk.h>

#include "cases.h"
#include "image.h"
#include "stream.h"

#define DEVICES_MAX 2u
#define COPIES_MAX 8u
#define TARGETS_MAX 64u
/* All blocks of an image. */
#define CACHE_SIZE (256u << 10)
/* Questions whether to stop, of a send; the undamaged image's take a few hundred. */
#define STEPS_MAX 100000u

enum damage {
	/* One copy, or all; with the checksum that was right before, or one that is right. */
	DAMAGE_ONE,
	DAMAGE_ONE_SEALED,
	DAMAGE_ALL,
	DAMAGE_ALL_SEALED,
	DAMAGES
};

static const char * const damage_texts[DAMAGES] = {
	"one copy", "one copy, checksum recomputed",
	"all copies", "all copies, checksum recomputed",
};

/* A page of a device. */
struct place {
	u32 device;
	u64 page;
};

/* A block of which bytes are changed; the first place is the one that a send reads. */
struct target {
	bool super;
	u64 bytenr;
	u64 owner;
	/* A bit for each request that reads it; the others cannot be changed by it. */
	u32 readers;
	u32 count;
	struct place places[COPIES_MAX];
};

#define REQUESTS 2u

static const u64 clone_sources[] = { IMAGE_OLDER };
static const struct sendcp_request requests[REQUESTS] = {
	{ .protocol = 1, .subvolume = IMAGE_SNAP, .clone_sources = clone_sources,
	  .clone_count = 1 },
	{ .protocol = 2, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER },
};

static struct image *images[DEVICES_MAX];
static u32 device_count;
static struct image_host host;
/* The image's own read(), which knows one device. */
static const struct sendcp_host_ops *image_ops;
static struct target targets[TARGETS_MAX];
static u32 target_count;
/* Not NULL: of each page, a bit for each request that reads it. */
static u8 *readers[DEVICES_MAX];
static u32 request_now;
static u64 steps;
static struct stream whole[REQUESTS];
static struct stream stream;

static int read_devices(void *private, struct sendcp_io *ios, unsigned int count)
{
	unsigned int i;
	u64 page;

	for (i = 0; i < count; i++) {
		host.image = images[ios[i].device];
		image_ops->read(private, &ios[i], 1);
		for (page = 0; !ios[i].result && page < ios[i].length / IMAGE_PAGE; page++)
			if (readers[ios[i].device])
				readers[ios[i].device][ios[i].offset / IMAGE_PAGE + page] |=
					1u << request_now;
	}
	return 0;
}

static int interrupted(void *private)
{
	return steps++ < STEPS_MAX ? 0 : -EINTR;
}

static void open_images(const char *profile)
{
	static struct sendcp_host_ops ops;
	char name[64];

	snprintf(name, sizeof(name), !strcmp(profile, "single") ? "small" : "small-%s", profile);
	images[0] = image_load(name);
	device_count = 1;
	if (!strcmp(profile, "raid1")) {
		images[1] = image_load("small-raid1.1");
		device_count = 2;
	}
	if (!images[0] || (device_count > 1 && !images[1]) || image_host_init(&host, images[0]))
		exit(1);
	image_ops = host.host.ops;
	ops = *image_ops;
	ops.read = read_devices;
	ops.interrupted = interrupted;
	host.host.ops = &ops;
	host.host.device_count = device_count;
	host.host.cache_size = CACHE_SIZE;
}

/* The whole stream of @request, or as much as there is room for; else the error. */
static int send_one(const struct sendcp_request *request, struct sendcp_error *error)
{
	struct sendcp_volume *volume;
	struct sendcp_engine *engine;
	int ret;

	steps = 0;
	stream.size = 0;
	ret = image_host_open(&host, &volume, error);
	if (ret)
		return ret;
	ret = sendcp_engine_open(volume, request, &engine, error);
	if (!ret) {
		ret = stream_fill(&stream, engine);
		*error = *sendcp_engine_error(engine);
		sendcp_engine_close(engine);
	}
	image_host_close(&host, volume);
	return ret;
}

static u8 *page_of(const struct place *place)
{
	return images[place->device]->pages[place->page];
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->device == b->device && a->page == b->page;
}

static bool is_super(u64 page)
{
	return page == SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE ||
	       page == SENDCP_SUPER_OFFSET_1 / IMAGE_PAGE;
}

static bool is_copy(const struct target *target, const struct place *place)
{
	const u8 *page = page_of(place);

	if (!page || target->super != is_super(place->page))
		return false;
	return target->super || !memcmp(page, page_of(&target->places[0]), IMAGE_PAGE);
}

static void add_copies(struct target *target)
{
	struct place place;

	for (place.device = 0; place.device < device_count; place.device++)
		for (place.page = 0; place.page < images[place.device]->count; place.page++)
			if (is_copy(target, &place) && target->count < COPIES_MAX &&
			    !same_place(&place, &target->places[0]))
				target->places[target->count++] = place;
}

/* Is it in one of the targets, as a copy that a send may read as well? */
static bool is_known(const struct place *place)
{
	for (u32 i = 0; i < target_count; i++)
		for (u32 j = 0; j < targets[i].count && !targets[i].super; j++)
			if (same_place(&targets[i].places[j], place))
				return true;
	return false;
}

static void add_target(u32 device, u64 page)
{
	struct target *target = &targets[target_count];
	const struct sendcp_disk_header *header = (const void *)images[device]->pages[page];
	const u8 *fsid = images[0]->pages[SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE] + SENDCP_CSUM_FIELD;

	/* Contents of files are another test's subject. */
	if (!header || memcmp(header->fsid, fsid, SENDCP_UUID_SIZE))
		return;
	memset(target, 0, sizeof(*target));
	target->places[0].device = device;
	target->places[0].page = page;
	target->count = 1;
	target->super = is_super(page);
	target->bytenr = le64_to_cpu(header->bytenr);
	target->owner = le64_to_cpu(header->owner);
	target->readers = readers[device][page];
	if (is_known(&target->places[0]))
		return;
	if (target_count == TARGETS_MAX - 1)
		abort();
	add_copies(target);
	target_count++;
}

static void find_targets(void)
{
	struct sendcp_error error;
	u32 device, i;
	u64 page;

	for (device = 0; device < device_count; device++)
		readers[device] = calloc(images[device]->count, 1);
	for (i = 0; i < REQUESTS; i++) {
		request_now = i;
		if (send_one(&requests[i], &error)) {
			fprintf(stderr, "the undamaged image is not sent\n");
			exit(1);
		}
		whole[i] = stream;
	}
	target_count = 0;
	for (device = 0; device < device_count; device++) {
		for (page = 0; page < images[device]->count; page++)
			if (readers[device][page])
				add_target(device, page);
		free(readers[device]);
		readers[device] = NULL;
	}
}

static bool sealed(enum damage damage)
{
	return damage == DAMAGE_ONE_SEALED || damage == DAMAGE_ALL_SEALED;
}

static bool all_copies(enum damage damage)
{
	return damage == DAMAGE_ALL || damage == DAMAGE_ALL_SEALED;
}

static enum outcome refused(const struct target *target, enum damage damage,
			    const struct sendcp_error *error, char why[CASE_TEXT])
{
	char line[300], block[40];

	sendcp_error_format(error, line, sizeof(line));
	if (steps > STEPS_MAX)
		snprintf(why, CASE_TEXT, "no end after %u steps", STEPS_MAX);
	else if (error->reason == SENDCP_ERR_NONE || error->err >= 0)
		snprintf(why, CASE_TEXT, "an error without a reason");
	else if (sealed(damage))
		return OUTCOME_REFUSED;
	else if (!all_copies(damage))
		snprintf(why, CASE_TEXT, "the other copy is not used: %s", line);
	else if (target->super && (error->reason == SENDCP_ERR_CSUM_TYPE ||
				   strstr(line, "superblock")))
		/* Which checksum it has stands in the superblock, so that comes first. */
		return OUTCOME_REFUSED;
	else if (snprintf(block, sizeof(block), "block %llu", (unsigned long long)target->bytenr),
		 error->reason == SENDCP_ERR_NODE_CSUM && strstr(line, block))
		return OUTCOME_REFUSED;
	else
		snprintf(why, CASE_TEXT, "the line does not name the block: %s", line);
	return OUTCOME_FAILED;
}

static enum outcome judge(const struct target *target, enum damage damage, u32 i, char *why)
{
	struct sendcp_error error;

	if (send_one(&requests[i], &error))
		return refused(target, damage, &error, why);
	if (stream.size == whole[i].size && !memcmp(stream.bytes, whole[i].bytes, stream.size))
		return OUTCOME_SAME;
	if (!sealed(damage)) {
		snprintf(why, CASE_TEXT, "request %u: a wrong stream", i);
		return OUTCOME_FAILED;
	}
	return stream_well_formed(&stream, why) ? OUTCOME_FORMED : OUTCOME_FAILED;
}

static void seal(u8 *page)
{
	sendcp_checksum(SENDCP_CSUM_CRC32C, page + SENDCP_CSUM_FIELD,
			IMAGE_PAGE - SENDCP_CSUM_FIELD, page);
}

/* A case is a byte of a target and a pattern. */
struct numbered {
	const struct target *target;
	u32 byte;
	u32 pattern;
};

static struct numbered numbered(u64 number)
{
	return (struct numbered){
		.target = &targets[number / PATTERNS / IMAGE_PAGE],
		.byte = (u32)(number / PATTERNS % IMAGE_PAGE),
		.pattern = (u32)(number % PATTERNS),
	};
}

static void damage_place(const struct numbered *which, enum damage damage, u32 copy)
{
	u8 *page = page_of(&which->target->places[copy]);

	page[which->byte] = pattern_apply(which->pattern, page[which->byte], which->byte);
	if (sealed(damage))
		seal(page);
}

static enum outcome run_case(void *context, u64 number, char why[CASE_TEXT])
{
	static u8 saved[COPIES_MAX][IMAGE_PAGE];
	enum damage damage = *(enum damage *)context;
	struct numbered which = numbered(number);
	const struct target *target = which.target;
	u32 count = all_copies(damage) ? target->count : 1;
	const u8 *first = page_of(&target->places[0]);
	enum outcome worst = OUTCOME_SAME, outcome;

	if (pattern_apply(which.pattern, first[which.byte], which.byte) == first[which.byte])
		return OUTCOME_NONE;
	for (u32 i = 0; i < count; i++) {
		memcpy(saved[i], page_of(&target->places[i]), IMAGE_PAGE);
		damage_place(&which, damage, i);
	}
	for (u32 i = 0; i < REQUESTS && worst != OUTCOME_FAILED; i++) {
		if (!(target->readers & 1u << i))
			continue;
		outcome = judge(target, damage, i, why);
		worst = outcome > worst ? outcome : worst;
	}
	for (u32 i = 0; i < count; i++)
		memcpy(page_of(&target->places[i]), saved[i], IMAGE_PAGE);
	return worst;
}

static void describe_case(void *context, u64 number, char text[CASE_TEXT])
{
	struct numbered which = numbered(number);

	snprintf(text, CASE_TEXT, "%s %llu of tree %llu, byte %u: %s",
		 which.target->super ? "superblock" : "block",
		 (unsigned long long)which.target->bytenr,
		 (unsigned long long)(which.target->super ? 0 : which.target->owner), which.byte,
		 pattern_text(which.pattern));
}

static u64 run_profile(const char *profile)
{
	bool single = !strcmp(profile, "single") || !strcmp(profile, "mixed");
	char input[100];
	u64 failures = 0;

	open_images(profile);
	find_targets();
	snprintf(input, sizeof(input), "metadata, %s (%u blocks)", profile, target_count);
	for (enum damage damage = single ? DAMAGE_ALL : DAMAGE_ONE; damage < DAMAGES; damage++) {
		struct row row = {
			.input = input,
			.change = damage_texts[damage],
			.count = (u64)target_count * IMAGE_PAGE * PATTERNS,
			.context = &damage,
			.run = run_case,
			.describe = describe_case,
		};

		failures += row_run(&row);
	}
	image_host_release(&host);
	for (u32 i = 0; i < device_count; i++)
		image_free(images[i]);
	return failures;
}

int main(int argc, char **argv)
{
	u64 failures = 0;

	for (int i = 1; i < argc; i++)
		failures += run_profile(argv[i]);
	return failures ? 1 : 0;
}
