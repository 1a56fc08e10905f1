// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a command and prints its costs: seconds, CPU seconds, memory, bytes, and when the first byte
 * came.
 *
 * usage: measure [-o FILE | -n BYTES] COMMAND...
 *
 * The command's standard output is a pipe that is read and thrown away; -o: FILE. -n: the reader
 * closes it after exactly that many bytes. Prints one line, "WALL CPU PEAK_KIB BYTES FIRST STATUS";
 * STATUS is the exit code, or 128 and the signal's number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As much as cat reads at once. */
#define READ_SIZE (128u << 10)

struct result {
	double wall;
	double first;
	uint64_t bytes;
	int status;
	struct rusage usage;
};

static void fail(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(125);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static pid_t start(char **command, int output, int other_end)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	dup2(output, STDOUT_FILENO);
	close(output);
	if (other_end >= 0)
		close(other_end);
	execvp(command[0], command);
	fail(command[0]);
	return -1;
}

static void drain(int fd, uint64_t limit, double began, struct result *result)
{
	static char buffer[READ_SIZE];
	ssize_t got = 1;
	uint64_t left;

	while (result->bytes < limit && got) {
		left = limit - result->bytes;
		got = read(fd, buffer, left < READ_SIZE ? left : READ_SIZE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail("read");
		if (got && !result->bytes)
			result->first = now() - began;
		result->bytes += (uint64_t)got;
	}
}

static void run(char **command, const char *file, uint64_t limit, struct result *result)
{
	int ends[2] = { -1, -1 };
	double began;
	pid_t pid;

	if (file)
		ends[1] = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	else if (pipe(ends))
		fail("pipe");
	if (ends[1] < 0)
		fail(file);
	began = now();
	pid = start(command, ends[1], ends[0]);
	close(ends[1]);
	if (!file) {
		drain(ends[0], limit, began, result);
		close(ends[0]);
	}
	if (wait4(pid, &result->status, 0, &result->usage) < 0)
		fail("wait");
	result->wall = now() - began;
}

int main(int argc, char **argv)
{
	struct result result = { 0 };
	uint64_t limit = UINT64_MAX;
	const char *file = NULL;
	int option;

	while ((option = getopt(argc, argv, "+o:n:")) != -1) {
		if (option == 'o')
			file = optarg;
		else if (option == 'n')
			limit = strtoull(optarg, NULL, 10);
		else
			return 125;
	}
	if (optind == argc)
		return 125;
	run(argv + optind, file, limit, &result);
	printf("%.4f %.4f %ld %llu %.4f %d\n", result.wall,
	       seconds(result.usage.ru_utime) + seconds(result.usage.ru_stime),
	       result.usage.ru_maxrss, (unsigned long long)result.bytes, result.first,
	       WIFSIGNALED(result.status) ? 128 + WTERMSIG(result.status) :
					    WEXITSTATUS(result.status));
	return 0;
}
