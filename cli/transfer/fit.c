// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fitting a transfer into the memory that there is.
 */
#include <stdio.h>
#include <unistd.h>

#include <sendcp/engine.h>
#include <sendcp/stream.h>

#include "container/frames.h"
#include "transfer/fit.h"
#include "util/memory.h"
#include "util/message.h"

#define MIB (1ULL << 20)
/* What else a transfer takes: the cache of tree blocks, stacks, lines of the journal. */
#define REST (6 * MIB)
/* All buffers that a checkpoint file can ask for: four times the default. */
#define RESUMED_BUFFERS_MAX (64 * MIB)

static u64 buffers_size(const struct transfer_settings *settings)
{
	return (u64)settings->buffer_size * settings->buffers;
}

/* Into @room, if what the user has not asked for can be made so small. */
static void shrink_buffers(const struct options *options, struct transfer_settings *settings,
			   u64 room)
{
	const size_t least = sendcp_buffer_min(SENDCP_PROTOCOL_MAX);
	const u64 before = buffers_size(settings);

	while (!options->buffer_size && settings->buffer_size > least &&
	       buffers_size(settings) > room)
		settings->buffer_size = sendcp_max(settings->buffer_size / 2, least);
	while (!options->buffers && settings->buffers > 1 && buffers_size(settings) > room)
		settings->buffers--;
	if (buffers_size(settings) != before)
		verbose_line(1, "the buffers are %u of %zu bytes", settings->buffers,
			     settings->buffer_size);
}

/* The highest level up to @level that fits into @room; 0: none does. */
static int highest_level(int level, u64 room)
{
	while (level && frames_memory(level, 0) > room)
		level--;
	return level;
}

/* @least is what all the rest needs; @lower (0: none) would fit. */
static int too_little(int level, int lower, u64 least, u64 left)
{
	char advice[64] = "";

	if (lower)
		snprintf(advice, sizeof(advice), "; --compress=%d needs %llu MiB", lower,
			 memory_mib(least + frames_memory(lower, 0)));
	return error_line("--compress=%d needs %llu MiB of memory, and %llu MiB are available%s",
			  level, memory_mib(least + frames_memory(level, 0)), memory_mib(left),
			  advice);
}

/* One thread at least, with the smallest buffers. *@level is what can be compressed with. */
static int fit_level(bool resumed, u64 least, u64 left, int *level)
{
	u64 room = left > least ? left - least : 0;
	int lower = highest_level(*level, room);

	if (lower == *level)
		return 0;
	if (!resumed || !lower)
		return too_little(*level, lower, least, left);
	info_line("compressing with level %d: %d needs %llu MiB of memory, and %llu MiB are "
		  "available", lower, *level, memory_mib(least + frames_memory(*level, 0)),
		  memory_mib(left));
	*level = lower;
	return 0;
}

/* As many as there are processors, in half of the memory that nothing else needs. */
static unsigned int count_workers(int level, u64 room)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int workers = processors > 1 ? (unsigned int)processors : 0;

	while (workers && frames_memory(level, workers) > room / 2)
		workers /= 2;
	return workers;
}

/* What a run takes at least: buffers that the user has asked for are judged by themselves. */
static u64 least_memory(const struct transfer_settings *settings)
{
	struct transfer_settings smallest = *settings;

	smallest.buffer_size = sendcp_min(settings->buffer_size,
					  (size_t)sendcp_buffer_min(SENDCP_PROTOCOL_MAX));
	smallest.buffers = 1;
	return REST + buffers_size(&smallest);
}

int transfer_fit(const struct options *options, bool resumed, struct transfer_settings *settings,
		 struct container_spec *container)
{
	u64 left = memory_left(), least = least_memory(settings), room;
	int level = container->level;

	if (resumed)
		shrink_buffers(options, settings, RESUMED_BUFFERS_MAX);
	if (level && fit_level(resumed, least, left, &level))
		return -1;
	if (left < least)
		return error_line("%llu MiB of memory are needed, and %llu MiB are available",
				  memory_mib(least), memory_mib(left));
	room = left - REST - (level ? frames_memory(level, 0) : 0);
	shrink_buffers(options, settings, room);
	room -= sendcp_min(room, buffers_size(settings));
	container->run_level = level;
	container->workers = level ? count_workers(level, room) : 0;
	if (level)
		verbose_line(1, "compressing with level %d in %u threads", level,
			     container->workers);
	return 0;
}

bool transfer_buffers_fit(const struct transfer_settings *settings)
{
	u64 left = memory_left();

	if (buffers_size(settings) <= left)
		return true;
	error_line("%u buffers of %zu bytes need %llu MiB of memory, and %llu MiB are available: "
		   "see --buffers and --buffer-size", settings->buffers, settings->buffer_size,
		   memory_mib(buffers_size(settings)), memory_mib(left));
	return false;
}
