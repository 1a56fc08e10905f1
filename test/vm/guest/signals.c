// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals: storms of them, stopping and resuming. Nothing is made twice and nothing is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	alarms++;
}

/* With SA_RESTART too: the system must not call again by itself. */
static void storm(bool on, int flags)
{
	struct itimerval timer = { { 0, on ? 1000 : 0 }, { 0, on ? 1000 : 0 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

struct writer_result {
	int ret;
	unsigned int calls;
	unsigned int broken;
	unsigned int interrupted;
};

/* STREAMs until the end, for any signals. */
static void stream_all(struct sending *sending, int fd, struct writer_result *result)
{
	memset(result, 0, sizeof(*result));
	do {
		result->ret = stream_step(sending, fd);
		result->calls++;
		result->interrupted += result->ret == -EINTR;
		result->broken += !result->ret && !sending->end;
	} while (result->ret == -EINTR || (!result->ret && !sending->end));
}

static void read_all(int fd, struct sink *sink)
{
	uint8_t *data = malloc(1 << 16);
	ssize_t got;

	while ((got = read(fd, data, 1 << 16)) > 0)
		sink_put(sink, data, got);
	free(data);
}

/* A child streams in the storm; returns its result and the number of interruptions. */
static void stream_in_storm(struct sending *sending, struct sink *sink, int flags, int from, int to,
			    struct writer_result *result)
{
	int report[2];
	pid_t child;

	if (pipe(report))
		give_up("pipe: %m");
	child = fork();
	if (!child) {
		close(from);
		storm(true, flags);
		stream_all(sending, to, result);
		storm(false, 0);
		_exit(write(report[1], result, sizeof(*result)) != sizeof(*result) ? 1 : 0);
	}
	close(to);
	close(report[1]);
	read_all(from, sink);
	if (read(report[0], result, sizeof(*result)) != sizeof(*result))
		result->ret = -EIO;
	close(report[0]);
	close(from);
	waitpid(child, NULL, 0);
}

static void storm_test(const struct target *target, const struct job *job, char **expected,
		       int flags, bool socket, const char *what)
{
	struct writer_result result = { 0 };
	struct sending sending;
	struct sink sink;
	int fds[2];

	if (socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds))
		give_up("no pipe");
	sending_init(&sending, target, job, 0);
	sink_init(&sink, false);
	stream_in_storm(&sending, &sink, flags, fds[0], fds[1], &result);
	if (is_errno(result.ret, 0, "%s: gets to the end", what))
		stream_is(&sink, expected[0], expected[1], what);
	ok(result.broken + result.interrupted > 5,
	   "%s: broken off often (%u calls, %u short, %u EINTR)", what, result.calls,
	   result.broken, result.interrupted);
	sink_free(&sink);
	sending_free(&sending);
}

/* Batches in a storm: short ones, and never one twice. */
static void send_in_storm(const struct target *target, const struct job *job, char **expected)
{
	struct sending sending;
	struct sink sink;
	int ret;

	sending_init(&sending, target, job, 0);
	sink_init(&sink, false);
	alarms = 0;
	storm(true, SA_RESTART);
	ret = sending_all(&sending, &sink);
	storm(false, 0);
	if (is_errno(ret, 0, "SEND in a signal storm: gets to the end"))
		stream_is(&sink, expected[0], expected[1], "SEND in a signal storm");
	ok(alarms > 5 && sending.calls > sink.bytes / BUFFER_SIZE + 2,
	   "SEND in a signal storm: %d signals, %u calls", (int)alarms, sending.calls);
	sink_free(&sink);
	sending_free(&sending);
}

/* Stopped and continued all the time, with the default action: no handler is ever called. */
static void stop_and_go(const struct target *target, const struct job *job, char **expected)
{
	struct sending sending;
	struct sink sink;
	unsigned int stops = 0;
	pid_t reader_of = 0;
	uint8_t data[4096];
	ssize_t got;
	int status = -1;
	int fds[2];

	if (pipe(fds))
		give_up("pipe: %m");
	sending_init(&sending, target, job, 0);
	sink_init(&sink, false);
	reader_of = fork();
	if (!reader_of) {
		struct writer_result result;

		close(fds[0]);
		stream_all(&sending, fds[1], &result);
		_exit(result.ret ? 1 : 0);
	}
	close(fds[1]);
	while ((got = read(fds[0], data, sizeof(data))) > 0) {
		sink_put(&sink, data, got);
		if (sink.bytes / 65536 != (sink.bytes - got) / 65536) {
			kill(reader_of, SIGSTOP);
			usleep(2000);
			kill(reader_of, SIGCONT);
			stops++;
		}
	}
	close(fds[0]);
	waitpid(reader_of, &status, 0);
	ok(!status, "STREAM stopped and continued: gets to the end");
	stream_is(&sink, expected[0], expected[1], "STREAM stopped and continued");
	ok(stops > 10, "STREAM stopped and continued: %u times", stops);
	sink_free(&sink);
	sending_free(&sending);
}

int test_signals(int argc, char **argv)
{
	struct target target;
	struct job job;

	job_parse(&job, argc - 2, argv + 2);
	target_open(&target, &job, job.subvolumes[0]);
	storm_test(&target, &job, argv, 0, false, "STREAM into a pipe in a signal storm");
	storm_test(&target, &job, argv, SA_RESTART, false,
		   "STREAM into a pipe in a storm of restarting signals");
	storm_test(&target, &job, argv, SA_RESTART, true, "STREAM into a socket in a signal storm");
	send_in_storm(&target, &job, argv);
	stop_and_go(&target, &job, argv);
	target_close(&target);
	return tap_end();
}

/* A stream to standard output that was interrupted at least ten times. */
int do_pieces(int argc, char **argv)
{
	struct writer_result result;
	struct sending sending;
	struct target target;
	struct job job;

	job_parse(&job, argc, argv);
	target_open(&target, &job, job.subvolumes[0]);
	sending_init(&sending, &target, &job, 0);
	storm(true, SA_RESTART);
	stream_all(&sending, STDOUT_FILENO, &result);
	storm(false, 0);
	return !result.ret && result.calls > 10 ? 0 : 1;
}
