// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 in mid-call, of a disk that is slow and of a pipe that nobody reads: it is over at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define AT_ONCE 1.0
#define LARGE (8u << 20)

typedef int (*work_fn)(struct sending *sending);

static int work_send(struct sending *sending)
{
	return sending_step(sending);
}

static int work_stream(struct sending *sending)
{
	int fds[2];

	return pipe(fds) ? -errno : stream_step(sending, fds[1]);
}

static int work_socket(struct sending *sending)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) ? -errno : stream_step(sending, fds[1]);
}

static int held_file;

static int work_held(struct sending *sending)
{
	return stream_step(sending, held_file);
}

/*
 * A slow disk would be fast with the pages that earlier calls have read. Contents only: the file is
 * held open, so that btrfs, whose own reading of tree blocks no signal ends, has its extents.
 */
static void forget_cache(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		give_up("drop_caches: %m");
	close(fd);
}

/* Where the kernel has it, to find out why it takes so long. */
static void show_stack(pid_t child)
{
	char path[64], line[256];
	FILE *stack;

	snprintf(path, sizeof(path), "/proc/%d/stack", child);
	stack = fopen(path, "re");
	while (stack && fgets(line, sizeof(line), stack))
		note("%.*s", (int)strcspn(line, "\n"), line);
	if (stack)
		fclose(stack);
}

/* Waits for a killed child; returns its status. */
static int wait_for(pid_t child)
{
	unsigned int rounds;
	int status = 0;

	for (rounds = 0; !waitpid(child, &status, WNOHANG); rounds++) {
		usleep(10000);
		if (rounds == 40)
			show_stack(child);
	}
	return status;
}

/*
 * Starts @work in a child, lets it run for a while, kills it; measures the time until it has ended.
 */
static void kill_in(struct sending *sending, work_fn work, useconds_t delay, const char *what)
{
	int returned[2];
	double begun;
	pid_t child;
	int status;
	char byte;

	if (pipe(returned))
		give_up("pipe: %m");
	forget_cache();
	child = fork();
	if (!child) {
		int ret = work(sending);

		_exit(write(returned[1], &ret, 1) == 1 ? 3 : 4);
	}
	close(returned[1]);
	usleep(delay);
	begun = now();
	kill(child, SIGKILL);
	status = wait_for(child);
	begun = now() - begun;
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && read(returned[0], &byte, 1) == 0,
	   "%s: killed in mid-call", what);
	ok(begun < AT_ONCE, "%s: gone within a second (%.2f s)", what, begun);
	close(returned[0]);
}

static pid_t start(void (*work)(int fd), int fd)
{
	pid_t child = fork();

	if (!child) {
		work(fd);
		_exit(0);
	}
	return child;
}

static void write_byte(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static void thaw_later(int fd)
{
	sleep(8);
	ioctl(fd, FITHAW, 0);
}

/*
 * The file's position is held by another process, whose write waits for a frozen filesystem: that
 * one must wait, the call need not.
 */
static void position_held(struct sending *sending, const char *directory)
{
	int mount = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t writer, thawer;
	char path[256];
	int status;

	snprintf(path, sizeof(path), "%s/held", directory);
	held_file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (held_file < 0 || ioctl(mount, FIFREEZE, 0))
		give_up("%s: %m", path);
	/* If it does wait, it must not do so for ever. */
	thawer = start(thaw_later, mount);
	writer = start(write_byte, held_file);
	usleep(500000);
	kill_in(sending, work_held, 2000000, "STREAM into a file whose position is held");
	ioctl(mount, FITHAW, 0);
	kill(thawer, SIGKILL);
	waitpid(thawer, NULL, 0);
	waitpid(writer, &status, 0);
	ok(!status, "who held it gets its turn");
	close(held_file);
	close(mount);
}

/* Signals with a handler must not wait for a slow disk either. */
static void on_signal(int number)
{
}

/*
 * A batch takes eight seconds, and a signal comes after one. Pages that were read ahead by then
 * have to come first, from a disk that does one thing after the other.
 */
static void interrupt(struct sending *sending)
{
	struct sigaction action = { .sa_handler = on_signal };
	double begun;
	int ret;

	forget_cache();
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	begun = now();
	ret = sending_step(sending);
	begun = now() - begun;
	note("%s, %llu bytes, %.2f s", ret ? strerrorname_np(-ret) : "success",
	     (unsigned long long)sending->args.filled, begun);
	ok(ret == -EINTR || (!ret && sending->args.filled < LARGE / 2),
	   "a handled signal on a slow disk: a short batch or EINTR");
}

int test_kill(int argc, char **argv)
{
	static const useconds_t delays[] = { 20000, 300000, 1000000 };
	struct job job = { .protocol = 1 };
	struct sending sending;
	struct target target;
	unsigned int i;
	uint8_t *own;
	char byte;
	int file;

	target_open(&target, &job, argv[0]);
	file = openat(target.subvolume, "noise", O_RDONLY | O_CLOEXEC);
	if (file < 0 || pread(file, &byte, 1, 0) != 1)
		give_up("noise: %m");
	sending_init(&sending, &target, &job, 0);
	own = sending.buffer;
	sending.buffer_size = LARGE;
	sending.buffer = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	for (i = 0; i < 3; i++)
		kill_in(&sending, work_send, delays[i], "SEND from a slow disk");
	kill_in(&sending, work_stream, 2000000, "STREAM into a pipe that nobody reads");
	kill_in(&sending, work_socket, 2000000, "STREAM into a socket that nobody reads");
	position_held(&sending, argv[1]);
	interrupt(&sending);
	munmap(sending.buffer, LARGE);
	sending.buffer = own;
	sending_free(&sending);
	target_close(&target);
	return tap_end();
}
