// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unmounting: only a call that runs keeps a filesystem busy, not an open /dev/sendcp.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define PLACE "/tmp/unmount"

static struct job job = { .protocol = 1 };
static char path[512];

static void mount_it(const char *device)
{
	mkdir(PLACE, 0700);
	if (mount(device, PLACE, "btrfs", MS_RDONLY | MS_NOATIME, NULL))
		give_up("mount %s: %m", device);
}

static int unmount_it(void)
{
	return umount(PLACE) ? -errno : 0;
}

/* A stop, the filesystem is unmounted and mounted again, and the same open file resumes. */
static void between_calls(const char *device)
{
	struct sending sending;
	struct target target;

	mount_it(device);
	target_open(&target, &job, path);
	sending_init(&sending, &target, &job, SENDCP_NO_FILE_DATA | SENDCP_ONE_COMMAND);
	is_errno(sending_step(&sending), 0, "a command");
	target_close(&target);
	is_errno(unmount_it(), 0, "unmount between calls, /dev/sendcp open");
	mount_it(device);
	target_open(&target, &job, path);
	is_errno(sending_step(&sending), 0, "mounted anew: the next command");
	is_errno(sending_all(&sending, NULL), 0, "mounted anew: to the end");
	target_close(&target);
	is_errno(unmount_it(), 0, "unmount after the end, /dev/sendcp open");
	sending_free(&sending);
}

static int output[2];
static int call_result;

static void on_signal(int number)
{
}

static void *one_call(void *sending)
{
	call_result = stream_step(sending, output[1]);
	return NULL;
}

/* A call that waits for somebody to read its pipe; only the call itself holds the files. */
static void within_a_call(const char *device)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sending sending;
	struct target target;
	pthread_t thread;
	char byte;

	if (pipe(output))
		give_up("pipe: %m");
	sigaction(SIGUSR1, &action, NULL);
	mount_it(device);
	target_open(&target, &job, path);
	sending_init(&sending, &target, &job, 0);
	pthread_create(&thread, NULL, one_call, &sending);
	if (read(output[0], &byte, 1) != 1)
		give_up("nothing comes");
	target_close(&target);
	is_errno(unmount_it(), -EBUSY, "unmount during a call");
	/* Until the pipe is full, a signal may come between two writes. */
	sleep(2);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	ok(!call_result && !sending.end, "the call that the files were closed in was broken off");
	is_errno(unmount_it(), 0, "unmount after that call");
	sending_free(&sending);
}

int test_unmount(int argc, char **argv)
{
	snprintf(path, sizeof(path), "%s/%s", PLACE, argv[1]);
	between_calls(argv[0]);
	within_a_call(argv[0]);
	return tap_end();
}
