// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A case of the manifest, made in several ways; its bytes are those of the other hosts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

typedef int (*way_fn)(struct sending *sending, struct sink *sink);

/* With a buffer so small that it is the smallest that always makes progress. */
static int way_small(struct sending *sending, struct sink *sink)
{
	struct sendcp_info info = { .size = sizeof(info) };
	int ret = call(sending->device, SENDCP_IOC_INFO, &info);

	if (ret)
		return ret;
	sending->buffer_size = info.buffer_min[sending->protocol - 1];
	return sending_all(sending, sink);
}

/* At an address that no alignment fits, and of an odd size. */
static int way_unaligned(struct sending *sending, struct sink *sink)
{
	int ret;

	sending->buffer += 4093;
	sending->buffer_size = (512u << 10) + 1;
	ret = sending_all(sending, sink);
	sending->buffer -= 4093;
	return ret;
}

/* Every command a stop, and a new open file resumes there. */
static int way_commands(struct sending *sending, struct sink *sink)
{
	unsigned int calls = 0;
	int ret;

	sending->flags |= SENDCP_ONE_COMMAND;
	do {
		close(sending->device);
		sending->device = module_open();
		ret = sending_step(sending);
		if (ret)
			return ret;
		sink_put(sink, sending->buffer, sending->args.filled);
		calls++;
	} while (!sending->end);
	/* Many small calls, or nothing was tried. */
	return calls > 3 ? 0 : -ENODATA;
}

static int stream_into(struct sending *sending, int fd)
{
	int ret;

	do {
		ret = stream_step(sending, fd);
	} while (!ret && !sending->end);
	return ret;
}

static int way_file(struct sending *sending, struct sink *sink)
{
	int fd = open("/tmp/case", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint8_t *data = malloc(1 << 20);
	ssize_t got;
	int ret = stream_into(sending, fd);

	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, data, 1 << 20)) > 0)
		sink_put(sink, data, got);
	close(fd);
	unlink("/tmp/case");
	free(data);
	return ret;
}

/* A child streams into @to; the bytes from @from count. */
static int way_child(struct sending *sending, struct sink *sink, int from, int to)
{
	uint8_t *data = malloc(1 << 20);
	ssize_t got;
	int status;
	pid_t child = fork();

	if (!child) {
		close(from);
		_exit(stream_into(sending, to) ? 1 : 0);
	}
	close(to);
	while ((got = read(from, data, 1 << 20)) > 0)
		sink_put(sink, data, got);
	close(from);
	free(data);
	waitpid(child, &status, 0);
	return status ? -EIO : 0;
}

static int way_pipe(struct sending *sending, struct sink *sink)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	return way_child(sending, sink, fds[0], fds[1]);
}

static int way_socket(struct sending *sending, struct sink *sink)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	return way_child(sending, sink, fds[0], fds[1]);
}

/* A pipe that takes no more than fits, and never waits: interrupted within commands. */
static int way_nonblocking(struct sending *sending, struct sink *sink)
{
	static uint8_t data[1 << 16];
	unsigned int within = 0;
	int fds[2];
	int ret;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	do {
		ssize_t got;

		ret = stream_step(sending, fds[1]);
		within += !ret && sending->args.new_skip;
		/* Not all that is there, so that what fits next is different every time. */
		got = read(fds[0], data, ret == -EAGAIN ? sizeof(data) : 33333);
		if (got > 0)
			sink_put(sink, data, got);
	} while ((!ret && !sending->end) || ret == -EAGAIN);
	close(fds[1]);
	for (ssize_t got; (got = read(fds[0], data, sizeof(data))) > 0;)
		sink_put(sink, data, got);
	close(fds[0]);
	if (sink->bytes > (1 << 20) && !within)
		return -ENODATA;
	return ret;
}

static const struct {
	const char *name;
	way_fn run;
} ways[] = {
	{ "send", sending_all },
	{ "small", way_small },
	{ "unaligned", way_unaligned },
	{ "commands", way_commands },
	{ "file", way_file },
	{ "pipe", way_pipe },
	{ "socket", way_socket },
	{ "nonblocking", way_nonblocking },
};

static int send_one(way_fn run, const struct job *job, const char *subvolume, uint32_t flags,
		    struct sink *sink)
{
	struct sending sending;
	struct target target;
	int ret;

	target_open(&target, job, subvolume);
	sending_init(&sending, &target, job, flags);
	ret = run(&sending, sink);
	sending_free(&sending);
	target_close(&target);
	return ret;
}

static int send_job(way_fn run, const struct job *job, struct sink *sink)
{
	unsigned int last = job->subvolume_count - 1;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i <= last; i++) {
		uint32_t flags = 0;

		if (job->together)
			flags = (i ? SENDCP_OMIT_HEADER : 0) | (i < last ? SENDCP_OMIT_END : 0);
		ret = send_one(run, job, job->subvolumes[i], flags, sink);
	}
	return ret;
}

static void try_way(const char *name, const struct job *job, char **expected)
{
	struct sink sink;
	unsigned int i;
	int ret;

	for (i = 0; strcmp(ways[i].name, name); i++)
		if (i + 1 == sizeof(ways) / sizeof(*ways))
			give_up("no such way: %s", name);
	sink_init(&sink, false);
	ret = send_job(ways[i].run, job, &sink);
	if (!ret)
		stream_is(&sink, expected[0], expected[1], name);
	else
		is_errno(ret, 0, "%s: the whole stream is made", name);
	sink_free(&sink);
}

int test_case(int argc, char **argv)
{
	struct job job;
	char *name;

	job_parse(&job, argc - 3, argv + 3);
	for (name = strtok(argv[0], ","); name; name = strtok(NULL, ","))
		try_way(name, &job, argv + 1);
	return tap_end();
}

int do_stream(int argc, char **argv)
{
	struct sending sending;
	struct target target;
	struct job job;
	int ret;

	job_parse(&job, argc, argv);
	target_open(&target, &job, job.subvolumes[0]);
	sending_init(&sending, &target, &job, 0);
	ret = stream_into(&sending, STDOUT_FILENO);
	if (ret)
		fprintf(stderr, "stream: %s %s\n", strerrorname_np(-ret), sending.error.reason);
	return ret ? 1 : 0;
}

int do_hold(int argc, char **argv)
{
	struct job job = { .protocol = 1 };
	struct sending sending;
	struct target target;
	int ret;

	target_open(&target, &job, argv[0]);
	sending_init(&sending, &target, &job, 0);
	ret = sending_step(&sending);
	target_close(&target);
	puts(ret ? "failed" : "holding");
	fflush(stdout);
	sleep(atoi(argv[1]));
	return 0;
}
