/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calling /dev/sendcp: the arguments of a send, its fds, and a stream in the making.
 */
#ifndef SENDCP_TEST_CALL_H
#define SENDCP_TEST_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

#include "../../../include/uapi/sendcp.h"

#define CLONES_MOST 16
#define DEVICES_MOST 8
#define CHECKPOINT_ROOM (1u << 20)
#define BUFFER_SIZE (1u << 20)

/* A command line of the manifest. */
struct job {
	uint32_t protocol;
	uint32_t flags;
	/* -e: one header and one END around all subvolumes. */
	bool together;
	const char *parent;
	const char *clones[CLONES_MOST];
	unsigned int clone_count;
	char **subvolumes;
	unsigned int subvolume_count;
};

/* Options end where the subvolumes begin. */
void job_parse(struct job *job, int argc, char **argv);

/* The fds of one subvolume's send. */
struct target {
	int subvolume;
	int parent;
	int32_t clones[CLONES_MOST];
	unsigned int clone_count;
	int32_t devices[DEVICES_MOST];
	unsigned int device_count;
};

void target_open(struct target *target, const struct job *job, const char *subvolume);
void target_close(struct target *target);
/* Every device of the filesystem of @fd; returns how many. */
unsigned int devices_open(int fd, int32_t *devices);

/* Takes stream bytes. */
struct sink {
	XXH3_state_t *hash;
	uint64_t bytes;
	/* Kept if not NULL; grows. */
	uint8_t *data;
	bool keep;
};

void sink_init(struct sink *sink, bool keep);
void sink_put(struct sink *sink, const void *data, size_t size);
/* 32 hexadecimal digits and a NUL. */
void sink_digest(const struct sink *sink, char *digest);
void sink_free(struct sink *sink);

/* One stream, and the checkpoint that it has come to. */
struct sending {
	int device;
	const struct target *target;
	uint32_t protocol;
	uint32_t flags;
	uint8_t *buffer;
	size_t buffer_size;
	/* Of the last call that was successful. */
	uint8_t *checkpoint;
	size_t checkpoint_size;
	uint8_t *next;
	uint64_t skip;
	/* Of the last call. */
	struct sendcp_send args;
	struct sendcp_failure error;
	bool end;
	unsigned int calls;
};

/* -1 or a new fd of /dev/sendcp. */
int module_open(void);
void sending_init(struct sending *sending, const struct target *target, const struct job *job,
		  uint32_t flags);
void sending_free(struct sending *sending);
/* The arguments of the next call. */
void sending_arguments(struct sending *sending);
/* One SEND; @sending advances if it is successful. Returns 0 or a negative errno. */
int sending_step(struct sending *sending);
/* SENDs until the end. */
int sending_all(struct sending *sending, struct sink *sink);
/* One STREAM into @fd. */
int stream_step(struct sending *sending, int fd);
/* An ioctl; 0 or a negative errno. */
int call(int fd, unsigned long command, void *argument);

double now(void);

/* @sink's length and digest are these? A test. */
bool stream_is(struct sink *sink, const char *length, const char *digest, const char *what);

#endif
