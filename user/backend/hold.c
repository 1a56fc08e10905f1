// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holding subvolumes: by a native send that never gets beyond its first byte.
 *
 * The send runs in a child, the holder, and writes into a pipe that takes exactly one write: the
 * second one waits. Only this process has the pipe's other end and never reads from it, so when
 * this process ends the holder's write fails and its send with it.
 *
 * A thread would not do: its ioctl would return whenever the process is stopped. So the holder is a
 * process, in a session of its own that the terminal's signals do not reach, with all signals
 * blocked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sendcp/cancel.h>

#include "backend/hold.h"

#define HOLDER_NAME "sendcp-hold"
/* Clone sources of one send. Kernels allow some 200,000, depending on a struct's size. */
#define OTHERS_MAX 65536u

struct holder {
	pid_t pid;
	/* The pipe's end that is never read from. */
	int reader;
};

struct hold {
	size_t count;
	struct holder holders[];
};

/*
 * A reader that waits for the end of a file that this process has open must not wait for the
 * holder.
 */
static int close_all_but(int a, int b)
{
	unsigned int low = (unsigned int)sendcp_min(a, b), high = (unsigned int)sendcp_max(a, b);

	if (low && close_range(0, low - 1, 0))
		return -1;
	if (low + 1 < high && close_range(low + 1, high - 1, 0))
		return -1;
	return close_range(high + 1, UINT_MAX, 0);
}

/*
 * The holder. A freezer interrupts the call, and then the kernel or this makes it again: the write
 * that waits is the first one then, since what was written before is still in the pipe.
 */
static void __attribute__((noreturn)) keep(int fd, int writer, const u64 *others, size_t count)
{
	struct btrfs_ioctl_send_args args = {
		.send_fd = writer,
		.clone_sources_count = count,
		.clone_sources = (__u64 *)others,
		.flags = BTRFS_SEND_FLAG_NO_FILE_DATA,
	};
	int ret;

	setsid();
	prctl(PR_SET_NAME, HOLDER_NAME);
	/* If it is stopped when sendcp is killed, the pipe alone would leave it there. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (close_all_but(fd, writer))
		_exit(errno);
	do
		ret = ioctl(fd, BTRFS_IOC_SEND, &args);
	while (ret && errno == EINTR);
	_exit(ret ? errno : EPROTO);
}

/*
 * A pipe of packets: a write never joins another one in a page, so one page takes one write of any
 * length.
 */
static int pipe_for_one_write(int ends[2])
{
	int size, ret;

	if (pipe2(ends, O_CLOEXEC | O_DIRECT))
		return -errno;
	size = fcntl(ends[1], F_SETPIPE_SZ, 1);
	if (size == sysconf(_SC_PAGESIZE))
		return 0;
	ret = size < 0 ? -errno : -ENOBUFS;
	close(ends[0]);
	close(ends[1]);
	return ret;
}

/* Signals are blocked before there is a child that one could hit. */
static pid_t fork_holder(int fd, int writer, const u64 *others, size_t count)
{
	sigset_t all, before;
	pid_t pid;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid)
		keep(fd, writer, others, count);
	err = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return pid;
}

/* Returns what the holder ended with. SIGKILL because a stopped one does not see its pipe end. */
static int release(struct holder *holder)
{
	int status;

	close(holder->reader);
	kill(holder->pid, SIGKILL);
	while (waitpid(holder->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* btrfs has taken the hold when it writes the stream's first byte. */
static int wait_until_held(struct holder *holder, const struct sendcp_cancel *interrupt)
{
	struct pollfd reader = { .fd = holder->reader, .events = POLLIN };
	int ret, err;

	do
		ret = poll(&reader, 1, -1);
	while (ret < 0 && errno == EINTR && !sendcp_cancelled(interrupt));
	if (ret > 0 && reader.revents == POLLIN)
		return 0;
	err = ret < 0 ? -errno : 0;
	ret = release(holder);
	/* fork() has an EAGAIN of its own. */
	if (ret == -EAGAIN)
		ret = -EBUSY;
	return err ? err : ret;
}

static int hold_one(int fd, const u64 *others, size_t count, const struct sendcp_cancel *interrupt,
		    struct holder *holder)
{
	int ends[2];
	int ret = pipe_for_one_write(ends);

	if (ret)
		return ret;
	holder->reader = ends[0];
	holder->pid = fork_holder(fd, ends[1], others, count);
	ret = -errno;
	close(ends[1]);
	if (holder->pid > 0)
		return wait_until_held(holder, interrupt);
	close(ends[0]);
	return ret;
}

int sendcp_hold_take(int fd, const u64 *others, size_t count, const struct sendcp_cancel *interrupt,
		     struct hold **out)
{
	size_t needed = count ? (count - 1) / OTHERS_MAX + 1 : 1;
	struct hold *hold = calloc(1, sizeof(*hold) + needed * sizeof(*hold->holders));

	*out = NULL;
	if (!hold)
		return -ENOMEM;
	while (hold->count < needed) {
		size_t done = hold->count * OTHERS_MAX;
		int ret = hold_one(fd, others + done, sendcp_min(count - done, OTHERS_MAX),
				   interrupt, &hold->holders[hold->count]);

		if (ret) {
			sendcp_hold_release(hold);
			return ret;
		}
		hold->count++;
	}
	*out = hold;
	return 0;
}

void sendcp_hold_release(struct hold *hold)
{
	if (!hold)
		return;
	for (size_t i = 0; i < hold->count; i++)
		release(&hold->holders[i]);
	free(hold);
}
