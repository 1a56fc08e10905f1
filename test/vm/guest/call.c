// SPDX-License-Identifier: GPL-2.0-or-later
/* Calling /dev/sendcp. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "tap.h"

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int call(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) ? -errno : 0;
}

static bool parse_option(struct job *job, char **argv, int *i)
{
	const char *option = argv[*i];

	if (!strcmp(option, "--proto"))
		job->protocol = atoi(argv[++*i]);
	else if (!strcmp(option, "-p"))
		job->parent = argv[++*i];
	else if (!strcmp(option, "-c") && job->clone_count < CLONES_MOST - 1)
		job->clones[job->clone_count++] = argv[++*i];
	else if (!strcmp(option, "-e"))
		job->together = true;
	else if (!strcmp(option, "--no-data"))
		job->flags |= SENDCP_NO_FILE_DATA;
	else if (!strcmp(option, "--compressed-data"))
		job->flags |= SENDCP_COMPRESSED;
	else
		return false;
	return true;
}

void job_parse(struct job *job, int argc, char **argv)
{
	int i;

	memset(job, 0, sizeof(*job));
	job->protocol = 1;
	for (i = 0; i < argc && argv[i][0] == '-'; i++)
		if (!parse_option(job, argv, &i))
			give_up("option %s", argv[i]);
	/* As btrfs send does: a parent that was named is a clone source too, the last one. */
	if (job->parent)
		job->clones[job->clone_count++] = job->parent;
	job->subvolumes = argv + i;
	job->subvolume_count = argc - i;
	if (!job->subvolume_count)
		give_up("no subvolume named");
}

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		give_up("%s: %m", path);
	return fd;
}

unsigned int devices_open(int fd, int32_t *devices)
{
	unsigned int count = 0;
	unsigned int id;

	for (id = 1; id < 16 && count < DEVICES_MOST; id++) {
		struct btrfs_ioctl_dev_info_args info = { .devid = id };

		if (ioctl(fd, BTRFS_IOC_DEV_INFO, &info))
			continue;
		devices[count] = open((char *)info.path, O_RDONLY | O_CLOEXEC);
		/* One that has been pulled out is missing, which is allowed. */
		if (devices[count] >= 0)
			count++;
		else if (errno != ENOENT && errno != ENXIO)
			give_up("%s: %m", info.path);
	}
	return count;
}

void target_open(struct target *target, const struct job *job, const char *subvolume)
{
	unsigned int i;

	memset(target, 0, sizeof(*target));
	target->subvolume = open_directory(subvolume);
	target->parent = job->parent ? open_directory(job->parent) : -1;
	for (i = 0; i < job->clone_count; i++)
		target->clones[i] = open_directory(job->clones[i]);
	target->clone_count = job->clone_count;
	target->device_count = devices_open(target->subvolume, target->devices);
	/* A read-only mount refuses; there is nothing to commit then. */
	ioctl(target->subvolume, BTRFS_IOC_SYNC, NULL);
}

void target_close(struct target *target)
{
	unsigned int i;

	close(target->subvolume);
	if (target->parent >= 0)
		close(target->parent);
	for (i = 0; i < target->clone_count; i++)
		close(target->clones[i]);
	for (i = 0; i < target->device_count; i++)
		close(target->devices[i]);
}

void sink_init(struct sink *sink, bool keep)
{
	memset(sink, 0, sizeof(*sink));
	sink->hash = XXH3_createState();
	XXH3_128bits_reset(sink->hash);
	sink->keep = keep;
}

void sink_put(struct sink *sink, const void *data, size_t size)
{
	XXH3_128bits_update(sink->hash, data, size);
	if (sink->keep) {
		sink->data = realloc(sink->data, sink->bytes + size + 1);
		if (!sink->data)
			give_up("no memory");
		memcpy(sink->data + sink->bytes, data, size);
	}
	sink->bytes += size;
}

void sink_digest(const struct sink *sink, char *digest)
{
	XXH128_hash_t hash = XXH3_128bits_digest(sink->hash);

	snprintf(digest, 33, "%016llx%016llx", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}

void sink_free(struct sink *sink)
{
	XXH3_freeState(sink->hash);
	free(sink->data);
}

int module_open(void)
{
	return open(SENDCP_DEVICE, O_RDWR | O_CLOEXEC);
}

void sending_init(struct sending *sending, const struct target *target, const struct job *job,
		  uint32_t flags)
{
	memset(sending, 0, sizeof(*sending));
	sending->device = module_open();
	if (sending->device < 0)
		give_up("%s: %m", SENDCP_DEVICE);
	sending->target = target;
	sending->protocol = job->protocol;
	sending->flags = job->flags | flags;
	sending->buffer_size = BUFFER_SIZE;
	sending->buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sending->checkpoint = malloc(CHECKPOINT_ROOM);
	sending->next = malloc(CHECKPOINT_ROOM);
	if (sending->buffer == MAP_FAILED || !sending->checkpoint || !sending->next)
		give_up("no memory");
}

void sending_free(struct sending *sending)
{
	close(sending->device);
	munmap(sending->buffer, BUFFER_SIZE);
	free(sending->checkpoint);
	free(sending->next);
}

static uint64_t address(const void *pointer)
{
	return (uintptr_t)pointer;
}

void sending_arguments(struct sending *sending)
{
	const struct target *target = sending->target;

	memset(&sending->error, 0, sizeof(sending->error));
	sending->error.size = sizeof(sending->error);
	sending->args = (struct sendcp_send) {
		.size = sizeof(sending->args),
		.flags = sending->flags,
		.protocol = sending->protocol,
		.subvolume_fd = target->subvolume,
		.parent_fd = target->parent,
		.output_fd = -1,
		.device_count = target->device_count,
		.clone_count = target->clone_count,
		.device_fds = address(target->devices),
		.clone_fds = target->clone_count ? address(target->clones) : 0,
		.buffer = address(sending->buffer),
		.buffer_size = sending->buffer_size,
		.checkpoint = sending->checkpoint_size ? address(sending->checkpoint) : 0,
		.checkpoint_size = sending->checkpoint_size,
		.new_checkpoint = address(sending->next),
		.new_checkpoint_capacity = CHECKPOINT_ROOM,
		.error = address(&sending->error),
	};
}

/* The next call resumes from the new checkpoint. */
static void accept(struct sending *sending)
{
	uint8_t *next = sending->next;

	sending->next = sending->checkpoint;
	sending->checkpoint = next;
	sending->checkpoint_size = sending->args.new_checkpoint_size;
	sending->skip = sending->args.new_skip;
	sending->end = sending->args.result & SENDCP_RESULT_END;
}

static int step(struct sending *sending, unsigned long command)
{
	int ret = call(sending->device, command, &sending->args);

	sending->calls++;
	if (!ret)
		accept(sending);
	return ret;
}

int sending_step(struct sending *sending)
{
	sending_arguments(sending);
	return step(sending, SENDCP_IOC_SEND);
}

int sending_all(struct sending *sending, struct sink *sink)
{
	int ret;

	do {
		ret = sending_step(sending);
		if (ret == -EINTR)
			continue;
		if (ret) {
			note("SEND at %llu: %s, %s %s",
			     (unsigned long long)(sink ? sink->bytes : 0), strerrorname_np(-ret),
			     sending->error.reason, sending->error.detail);
			return ret;
		}
		if (sink)
			sink_put(sink, sending->buffer, sending->args.filled);
	} while (!sending->end);
	return 0;
}

int stream_step(struct sending *sending, int fd)
{
	sending_arguments(sending);
	sending->args.buffer = 0;
	sending->args.buffer_size = 0;
	sending->args.output_fd = fd;
	sending->args.skip = sending->skip;
	return step(sending, SENDCP_IOC_STREAM);
}

bool stream_is(struct sink *sink, const char *length, const char *digest, const char *what)
{
	char got[33];

	sink_digest(sink, got);
	if (ok(sink->bytes == strtoull(length, NULL, 10) && !strcmp(got, digest), "%s", what))
		return true;
	note("%llu bytes, %s; expected %s, %s", (unsigned long long)sink->bytes, got, length,
	     digest);
	return false;
}
