// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * streamcut: a reader that breaks its sender at an exact byte.
 *
 *   streamcut N                        passes N bytes of stdin on and exits (3: there were less)
 *   streamcut --signal SIG N -- CMD    runs CMD, passes N bytes of its output on, sends it SIG and
 *                                      stops reading; exits as CMD did (128 + signal when killed)
 *     --drain                          passes on what still comes after the signal
 *     --pause                          SIGSTOP, a moment, SIGCONT instead, every N bytes
 *     --watch FILE                     CMD writes to FILE: N is that file's size
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOO_SHORT 3
#define FAILED 125
/* Long enough for a sender to fill the pipe and to be really stopped. */
#define PAUSE_MICROSECONDS 30000
#define POLL_MICROSECONDS 200

static struct {
	uint64_t bytes;
	int signal;
	bool drain;
	bool pause;
	const char *watch;
} options;

static int fail(const char *what)
{
	fprintf(stderr, "streamcut: %s: %s\n", what, strerror(errno));
	return FAILED;
}

static int put(const char *p, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		size -= n;
	}
	return 0;
}

/* Passes at most @limit bytes on. Returns how many there were, -1 on failure. */
static int64_t pass(int fd, uint64_t limit)
{
	char buffer[65536];
	uint64_t done = 0;

	while (done < limit) {
		size_t want = sizeof(buffer);
		ssize_t n;

		if (want > limit - done)
			want = limit - done;
		n = read(fd, buffer, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (n > 0 && put(buffer, n)))
			return -1;
		if (!n)
			break;
		done += n;
	}
	return (int64_t)done;
}

static int exit_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return fail("wait");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t start(char **command, int output)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	/* A shell ignores SIGINT for what it runs in the background, and programs keep to that. */
	signal(options.signal, SIG_DFL);
	execvp(command[0], command);
	fail(command[0]);
	_exit(127);
}

static int64_t pass_with_pauses(int fd, pid_t pid)
{
	int64_t n;

	do {
		n = pass(fd, options.bytes);
		kill(pid, SIGSTOP);
		usleep(PAUSE_MICROSECONDS);
		kill(pid, SIGCONT);
	} while (n > 0);
	return n;
}

static int run_piped(char **command)
{
	int64_t n;
	pid_t pid;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return fail("pipe");
	pid = start(command, p[1]);
	close(p[1]);
	if (pid < 0)
		return fail("fork");
	if (options.pause) {
		n = pass_with_pauses(p[0], pid);
	} else {
		n = pass(p[0], options.bytes);
		kill(pid, options.signal);
		if (n >= 0 && options.drain)
			n = pass(p[0], UINT64_MAX);
	}
	/* Closed only after the end when killing: the sender is to die of the signal alone. */
	if (options.signal != SIGKILL)
		close(p[0]);
	return n < 0 ? fail("pass on") : exit_status(pid);
}

static bool ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid;
}

static int run_watching(char **command)
{
	struct stat st;
	pid_t pid = start(command, -1);

	if (pid < 0)
		return fail("fork");
	while (!ended(pid)) {
		if (!stat(options.watch, &st) && (uint64_t)st.st_size >= options.bytes) {
			kill(pid, options.signal);
			break;
		}
		usleep(POLL_MICROSECONDS);
	}
	return exit_status(pid);
}

static int usage(void)
{
	fputs("usage: streamcut N | streamcut [--signal KILL|TERM|INT|HUP] [--drain] [--pause]"
	      " [--watch FILE] N -- COMMAND...\n", stderr);
	return FAILED;
}

static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "KILL", SIGKILL }, { "TERM", SIGTERM }, { "INT", SIGINT }, { "HUP", SIGHUP },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].name))
			return known[i].number;
	return -1;
}

static int parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "signal", required_argument, NULL, 's' },
		{ "drain", no_argument, NULL, 'd' },
		{ "pause", no_argument, NULL, 'p' },
		{ "watch", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	options.signal = SIGKILL;
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (c == 's')
			options.signal = signal_number(optarg);
		else if (c == 'd')
			options.drain = true;
		else if (c == 'p')
			options.pause = true;
		else if (c == 'w')
			options.watch = optarg;
		else
			return -1;
	}
	if (optind == argc || options.signal < 0)
		return -1;
	options.bytes = strtoull(argv[optind], NULL, 10);
	return optind + 1;
}

int main(int argc, char **argv)
{
	int next = parse(argc, argv);

	if (next < 0)
		return usage();
	if (next < argc && !strcmp(argv[next], "--"))
		next++;
	if (next < argc)
		return options.watch ? run_watching(argv + next) : run_piped(argv + next);
	int64_t n = pass(STDIN_FILENO, options.bytes);

	if (n < 0)
		return fail("pass on");
	return (uint64_t)n < options.bytes ? TOO_SHORT : 0;
}
