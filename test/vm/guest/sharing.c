// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several users of one device, one open file, one buffer: processes, threads, forks, copies of fds.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

static struct job job;
static struct target target;
static char **expected;

struct sender {
	struct sending sending;
	struct sink sink;
	pthread_t thread;
	int ret;
};

static void sender_init(struct sender *sender)
{
	sending_init(&sender->sending, &target, &job, 0);
	/* Many calls, so that they meet. */
	sender->sending.buffer_size = 150000;
	sink_init(&sender->sink, false);
}

static void sender_check(struct sender *sender, const char *what)
{
	if (is_errno(sender->ret, 0, "%s: gets to the end", what))
		stream_is(&sender->sink, expected[0], expected[1], what);
	sending_free(&sender->sending);
	sink_free(&sender->sink);
}

static void *send_all(void *argument)
{
	struct sender *sender = argument;

	sender->ret = sending_all(&sender->sending, &sender->sink);
	return NULL;
}

static void two_at_once(bool one_file, const char *what)
{
	struct sender senders[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		sender_init(&senders[i]);
	if (one_file)
		dup2(senders[0].sending.device, senders[1].sending.device);
	for (i = 0; i < 2; i++)
		pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
	for (i = 0; i < 2; i++)
		pthread_join(senders[i].thread, NULL);
	for (i = 0; i < 2; i++)
		sender_check(&senders[i], what);
}

/* Parent and child resume from one checkpoint, through one open file, at once. */
static void forked(void)
{
	struct sender sender;
	int status = -1;
	pid_t child;

	sender_init(&sender);
	sender.ret = sending_step(&sender.sending);
	sink_put(&sender.sink, sender.sending.buffer, sender.sending.args.filled);
	child = fork();
	if (!child) {
		char digest[33];

		send_all(&sender);
		sink_digest(&sender.sink, digest);
		_exit(sender.ret || strcmp(digest, expected[1]) ? 1 : 0);
	}
	send_all(&sender);
	waitpid(child, &status, 0);
	ok(!status, "fork: the child goes on");
	sender_check(&sender, "fork: the parent goes on");
}

/* Forks beside calls: copy on write must not take the pages away from the call that fills them. */
static void *fork_often(void *argument)
{
	volatile bool *stop = argument;
	unsigned long forks = 0;

	while (!*stop) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
		forks++;
	}
	return (void *)forks;
}

static void forks_beside(void)
{
	volatile bool stop = false;
	struct sender sender;
	pthread_t thread;
	void *forks;

	sender_init(&sender);
	pthread_create(&thread, NULL, fork_often, (void *)&stop);
	send_all(&sender);
	stop = true;
	pthread_join(thread, &forks);
	ok((unsigned long)forks > 3, "forks beside calls: %lu of them", (unsigned long)forks);
	sender_check(&sender, "forks beside calls");
}

/* The fds are closed while a call uses them; a copy of the device's continues. */
static void closed_in_call(void)
{
	struct sender sender;
	int copy;

	sender_init(&sender);
	copy = dup(sender.sending.device);
	pthread_create(&sender.thread, NULL, send_all, &sender);
	usleep(3000);
	close(sender.sending.device);
	pthread_join(sender.thread, NULL);
	/* A call that was running ends well; the next has no file, and the copy continues. */
	ok(!sender.ret || sender.ret == -EBADF, "closed in mid-call");
	sender.sending.device = copy;
	if (sender.ret)
		send_all(&sender);
	sender_check(&sender, "closed in mid-call, then on with a copy");
}

/* Somebody writes all over the buffer while it is filled: the stream is spoilt, the call is not. */
static void *scribble(void *argument)
{
	struct sender *sender = argument;
	volatile uint8_t *at = sender->sending.buffer;
	size_t i = 0;

	while (!sender->sending.end && !sender->ret) {
		at[i] = 0xff;
		i = (i + 509) % sender->sending.buffer_size;
	}
	return NULL;
}

static void scribbled(void)
{
	struct sender sender;
	pthread_t thread;

	sender_init(&sender);
	sender.ret = 0;
	pthread_create(&thread, NULL, scribble, &sender);
	sender.ret = sending_all(&sender.sending, &sender.sink);
	sender.sending.end = true;
	pthread_join(thread, NULL);
	is_errno(sender.ret, 0, "a buffer written to during calls: gets to the end");
	ok(sender.sink.bytes == strtoull(expected[0], NULL, 10),
	   "a buffer written to during calls: as long as it should be");
	sending_free(&sender.sending);
	sink_free(&sender.sink);
}

int test_sharing(int argc, char **argv)
{
	expected = argv;
	job_parse(&job, argc - 2, argv + 2);
	target_open(&target, &job, job.subvolumes[0]);
	two_at_once(false, "two at once");
	two_at_once(true, "two at once with one open file");
	forked();
	forks_beside();
	closed_in_call();
	scribbled();
	target_close(&target);
	return tap_end();
}
