// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STREAM into everything that can be written to: all bytes reported as out are out, in the right
 * place, and an output that cannot take a stream is refused with an errno that means nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define BEFORE "what was there before\n"

static struct job job;
static struct target target;
static char **expected;
static const char *directory;

static int new_file(int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/output", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		give_up("%s: %m", path);
	return fd;
}

/* STREAMs until the end or a failure; *@told counts the bytes that the calls reported as out. */
static int stream_into(struct sending *sending, int fd, uint64_t *told)
{
	int ret;

	do {
		ret = stream_step(sending, fd);
		if (!ret)
			*told += sending->args.filled;
	} while (!ret && !sending->end);
	return ret;
}

/* The stream is what @fd has from @from on. */
static void check_file(int fd, off_t from, const char *what)
{
	uint8_t *data = malloc(1 << 16);
	struct sink sink;
	ssize_t got;

	sink_init(&sink, false);
	while ((got = pread(fd, data, 1 << 16, from)) > 0) {
		sink_put(&sink, data, got);
		from += got;
	}
	stream_is(&sink, expected[0], expected[1], what);
	sink_free(&sink);
	free(data);
}

/* At the end of the file, wherever the position is. */
static void append(void)
{
	struct sending sending;
	uint64_t told = 0;
	int fd = new_file(O_APPEND);

	if (write(fd, BEFORE, strlen(BEFORE)) < 0 || lseek(fd, 0, SEEK_SET))
		give_up("output: %m");
	sending_init(&sending, &target, &job, 0);
	is_errno(stream_into(&sending, fd, &told), 0, "O_APPEND: gets to the end");
	check_file(fd, strlen(BEFORE), "O_APPEND");
	ok(lseek(fd, 0, SEEK_CUR) == (off_t)(told + strlen(BEFORE)),
	   "O_APPEND: the position is behind it");
	sending_free(&sending);
	close(fd);
}

/* From the position on, which others may have set. */
static void position(void)
{
	struct sending sending;
	uint64_t told = 0;
	int fd = new_file(0);

	lseek(fd, 12345, SEEK_SET);
	sending_init(&sending, &target, &job, 0);
	is_errno(stream_into(&sending, fd, &told), 0, "in mid-file: gets to the end");
	check_file(fd, 12345, "in mid-file");
	sending_free(&sending);
	close(fd);
}

/* Most filesystems take aligned pieces only, which commands are not: refused or taken, not half. */
static void direct(void)
{
	struct sending sending;
	uint64_t told = 0;
	int fd = new_file(O_DIRECT);
	int ret;

	sending_init(&sending, &target, &job, 0);
	ret = stream_into(&sending, fd, &told);
	ok(!ret || ret == -EINVAL || ret == -EFAULT, "O_DIRECT: taken or refused (%s)",
	   ret ? strerrorname_np(-ret) : "taken");
	ok(lseek(fd, 0, SEEK_END) == (off_t)told, "O_DIRECT: what is told to be out is out");
	fcntl(fd, F_SETFL, 0);
	is_errno(stream_into(&sending, fd, &told), 0, "O_DIRECT, then without: gets to the end");
	check_file(fd, 0, "O_DIRECT, then without");
	sending_free(&sending);
	close(fd);
}

/* Up to the limit of a file's size; when that is raised, the stream continues. */
static void limited(void)
{
	struct rlimit limit = { 300001, RLIM_INFINITY };
	struct sending sending;
	uint64_t told = 0;
	int fd = new_file(0);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	sending_init(&sending, &target, &job, 0);
	is_errno(stream_into(&sending, fd, &told), -EFBIG, "RLIMIT_FSIZE");
	ok(told == limit.rlim_cur, "RLIMIT_FSIZE: %llu bytes are out", (unsigned long long)told);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	is_errno(stream_into(&sending, fd, &told), 0, "RLIMIT_FSIZE, raised: gets to the end");
	check_file(fd, 0, "RLIMIT_FSIZE, raised");
	sending_free(&sending);
	close(fd);
}

/*
 * The reader exits in mid-stream: the bytes it has are reported, then EPIPE, and another may
 * resume.
 */
static void reader_gone(void)
{
	static uint8_t data[1 << 16];
	struct sending sending;
	uint64_t told = 0;
	int file = new_file(0);
	int fds[2];
	ssize_t got;

	signal(SIGPIPE, SIG_IGN);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		give_up("pipe: %m");
	sending_init(&sending, &target, &job, 0);
	is_errno(stream_into(&sending, fds[1], &told), -EAGAIN, "a full pipe that does not wait");
	while ((got = read(fds[0], data, sizeof(data))) > 0)
		if (write(file, data, got) != got)
			give_up("output: %m");
	ok(lseek(file, 0, SEEK_CUR) == (off_t)told, "what is told to be in the pipe is in it");
	close(fds[0]);
	is_errno(stream_into(&sending, fds[1], &told), -EPIPE, "the reader is gone");
	is_errno(stream_into(&sending, file, &told), 0, "then into a file: gets to the end");
	check_file(file, 0, "what the reader got, then into a file");
	signal(SIGPIPE, SIG_DFL);
	sending_free(&sending);
	close(fds[1]);
	close(file);
}

/* Nobody ignores it here: as with write(2) that is the end. */
static void sigpipe(void)
{
	struct sending sending;
	uint64_t told = 0;
	int status;
	int fds[2];

	if (pipe(fds))
		give_up("pipe: %m");
	close(fds[0]);
	sending_init(&sending, &target, &job, 0);
	if (!fork()) {
		stream_into(&sending, fds[1], &told);
		_exit(0);
	}
	wait(&status);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "a pipe without a reader: SIGPIPE");
	sending_free(&sending);
	close(fds[1]);
}

/* EMSGSIZE would make the caller enlarge the space for the checkpoint, again and again. */
static void messages(void)
{
	struct sending sending;
	int size = 4096;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) ||
	    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)))
		give_up("socketpair: %m");
	sending_init(&sending, &target, &job, 0);
	do {
		char data[8192];

		while (recv(fds[0], data, sizeof(data), MSG_DONTWAIT) > 0)
			;
		sending.flags |= SENDCP_ONE_COMMAND;
		size = stream_step(&sending, fds[1]);
	} while (!size && !sending.end);
	is_errno(size, -EINVAL, "a socket for messages shorter than a command");
	sending_free(&sending);
	close(fds[0]);
	close(fds[1]);
}

static int sealed(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE))
		give_up("memfd: %m");
	return fd;
}

static void refused(void)
{
	const struct {
		const char *what;
		int fd;
		int expected;
	} rows[] = {
		{ "an eventfd", eventfd(0, 0), EINVAL },
		{ "a timerfd", timerfd_create(CLOCK_MONOTONIC, 0), EINVAL },
		{ "an epoll", epoll_create1(0), EINVAL },
		{ "/dev/full", open("/dev/full", O_WRONLY), EINVAL },
		{ "another /dev/sendcp", open(SENDCP_DEVICE, O_RDWR), EINVAL },
		{ "a sealed memfd", sealed(), EPERM },
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sending sending;

		if (rows[i].fd < 0)
			give_up("%s cannot be opened", rows[i].what);
		sending_init(&sending, &target, &job, 0);
		is_errno(stream_step(&sending, rows[i].fd), -rows[i].expected, "into %s",
			 rows[i].what);
		sending_free(&sending);
		close(rows[i].fd);
	}
}

int test_outputs(int argc, char **argv)
{
	expected = argv;
	directory = argv[2];
	job_parse(&job, argc - 3, argv + 3);
	target_open(&target, &job, job.subvolumes[0]);
	append();
	position();
	direct();
	limited();
	reader_gone();
	sigpipe();
	messages();
	refused();
	target_close(&target);
	return tap_end();
}
