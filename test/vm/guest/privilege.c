// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The privilege needed: CAP_SYS_ADMIN in the initial user namespace, for SEND and STREAM; none for
 * INFO.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

static struct sending sending;

struct results {
	int dropped;
	int send;
	int stream;
	int info;
	int open;
};

static int drop_capability(unsigned int number)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[number / 32].effective &= ~(1u << number % 32);
	data[number / 32].permitted &= ~(1u << number % 32);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int drop_admin(void)
{
	return drop_capability(CAP_SYS_ADMIN);
}

static int become_somebody(void)
{
	return setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ? -errno : 0;
}

/* Root there has all capabilities, but only there. */
static int new_namespace(void)
{
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

/* The results of a child after @drop, with the open files of its parent. */
static struct results after(int (*drop)(void))
{
	struct results results = { 0 };
	int stream[2];
	int fds[2];

	if (pipe(fds) || pipe(stream))
		give_up("pipe: %m");
	if (!fork()) {
		struct sendcp_info info = { .size = sizeof(info) };
		int fd;

		results.dropped = drop();
		results.send = sending_step(&sending);
		results.stream = stream_step(&sending, stream[1]);
		results.info = call(sending.device, SENDCP_IOC_INFO, &info);
		fd = module_open();
		results.open = fd < 0 ? -errno : 0;
		_exit(write(fds[1], &results, sizeof(results)) != sizeof(results) ? 1 : 0);
	}
	close(fds[1]);
	if (read(fds[0], &results, sizeof(results)) != sizeof(results))
		results.dropped = -EIO;
	close(fds[0]);
	close(stream[0]);
	close(stream[1]);
	wait(NULL);
	return results;
}

static void refused(int (*drop)(void), int open_expected, const char *who)
{
	struct results results = after(drop);

	/* The debugging kernel has no user namespaces: then nobody can be in one. */
	if (drop == new_namespace && (results.dropped == -EINVAL || results.dropped == -ENOSYS)) {
		note("no user namespaces in this kernel");
		return;
	}
	is_errno(results.dropped, 0, "%s: became it", who);
	is_errno(results.send, -EPERM, "%s: SEND", who);
	is_errno(results.stream, -EPERM, "%s: STREAM", who);
	is_errno(results.info, 0, "%s: INFO", who);
	is_errno(results.open, open_expected, "%s: opening the device", who);
}

/* Pinned memory is locked memory: a task that may not lock it may not have it pinned. */
static int no_locking(void)
{
	struct rlimit limit = { 65536, 65536 };

	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : drop_capability(CAP_IPC_LOCK);
}

static int no_locking_but_room(void)
{
	struct rlimit limit = { 4 << 20, 4 << 20 };

	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : drop_capability(CAP_IPC_LOCK);
}

int test_privilege(int argc, char **argv)
{
	struct job job = { .protocol = 1 };
	struct results results;
	struct target target;

	target_open(&target, &job, argv[0]);
	sending_init(&sending, &target, &job, SENDCP_ONE_COMMAND);
	refused(drop_admin, 0, "root without CAP_SYS_ADMIN");
	refused(become_somebody, -EACCES, "somebody");
	/* The owner of the device file is still the same. */
	refused(new_namespace, 0, "root in a user namespace");
	results = after(no_locking);
	is_errno(results.send, -ENOMEM, "SEND with a buffer beyond RLIMIT_MEMLOCK");
	results = after(no_locking_but_room);
	is_errno(results.send, 0, "SEND with a buffer within RLIMIT_MEMLOCK");
	is_errno(sending_step(&sending), 0, "root: SEND");
	sending_free(&sending);
	target_close(&target);
	return tap_end();
}
