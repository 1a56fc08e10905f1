// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of a table of damage, run by worker processes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define JOBS_MAX 64u

/* What a worker and its parent share. */
struct worker {
	u64 outcomes[OUTCOMES];
	/* Of the row's cases, or of its sample. */
	u64 next;
	u64 step;
	u64 shown;
	pid_t pid;
};

struct plan {
	const struct row *row;
	u64 count;
	u64 seed;
	bool sampled;
};

static u64 setting(const char *name, u64 standard)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : standard;
}

u8 pattern_apply(u32 pattern, u8 byte, u64 place)
{
	switch (pattern) {
	case 0:
		return (u8)(byte ^ 1u << place % 8);
	case 1:
		return 0;
	case 2:
		return 0xff;
	default:
		return (u8)(byte + 1);
	}
}

const char *pattern_text(u32 pattern)
{
	static const char * const texts[PATTERNS] = { "a bit flipped", "0", "0xff", "+1" };

	return texts[pattern % PATTERNS];
}

/* The same number of the same seed in every run (splitmix64). */
static u64 mixed(u64 value)
{
	value += 0x9e3779b97f4a7c15ULL;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
	return value ^ value >> 31;
}

static u64 case_number(const struct plan *plan, u64 index)
{
	return plan->sampled ? mixed(plan->seed + index) % plan->row->count : index;
}

static void show_failure(const struct plan *plan, struct worker *worker, const char *why)
{
	char text[CASE_TEXT] = "";

	if (worker->shown++ >= setting("SHOWN", 10))
		return;
	plan->row->describe(plan->row->context, case_number(plan, worker->next), text);
	fprintf(stderr, "FAILED: %s, %s: case %llu (%s): %s\n", plan->row->input,
		plan->row->change, (unsigned long long)case_number(plan, worker->next), text, why);
}

static bool memory_exceeded(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (u64)usage.ru_maxrss << 10 > CASE_MEMORY_MAX;
}

/* The worker: its cases from ->next on. Ends after one that needed too much memory. */
static void work(const struct plan *plan, struct worker *worker)
{
	char why[CASE_TEXT];
	enum outcome outcome;

	for (; worker->next < plan->count; worker->next += worker->step) {
		alarm(CASE_SECONDS);
		why[0] = '\0';
		outcome = plan->row->run(plan->row->context, case_number(plan, worker->next), why);
		if (memory_exceeded()) {
			outcome = OUTCOME_FAILED;
			snprintf(why, sizeof(why), "more than %u MiB", CASE_MEMORY_MAX >> 20);
		}
		worker->outcomes[outcome]++;
		if (outcome == OUTCOME_FAILED)
			show_failure(plan, worker, why);
		if (memory_exceeded()) {
			worker->next += worker->step;
			break;
		}
	}
	alarm(0);
}

static int start(const struct plan *plan, struct worker *worker)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid) {
		worker->pid = pid;
		return pid < 0 ? -1 : 0;
	}
	work(plan, worker);
	/* Nothing that the parent is to do at its end. */
	fflush(NULL);
	_exit(0);
}

/* Of a worker that ended with @status: a case that killed it has failed. */
static void account(const struct plan *plan, struct worker *worker, int status)
{
	char why[CASE_TEXT];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(why, sizeof(why), "no end after %u s", CASE_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "killed by signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "ended with status %d", WEXITSTATUS(status));
	worker->outcomes[OUTCOME_FAILED]++;
	show_failure(plan, worker, why);
	worker->next += worker->step;
}

static struct worker *find_worker(struct worker *workers, u64 jobs, pid_t pid)
{
	for (u64 i = 0; i < jobs; i++)
		if (workers[i].pid == pid)
			return &workers[i];
	return NULL;
}

static int run_all(const struct plan *plan, struct worker *workers, u64 jobs)
{
	struct worker *worker;
	u64 running = 0;
	int status;
	pid_t pid;

	for (; running < jobs; running++) {
		workers[running].next = running;
		workers[running].step = jobs;
		if (start(plan, &workers[running]))
			return -1;
	}
	while (running) {
		pid = wait(&status);
		if (pid < 0)
			return -1;
		worker = find_worker(workers, jobs, pid);
		if (!worker)
			continue;
		account(plan, worker, status);
		if (worker->next >= plan->count)
			running--;
		else if (start(plan, worker))
			return -1;
	}
	return 0;
}

static void add_up(const struct worker *workers, u64 jobs, u64 sums[OUTCOMES])
{
	for (u64 i = 0; i < jobs; i++)
		for (u32 outcome = 0; outcome < OUTCOMES; outcome++)
			sums[outcome] += workers[i].outcomes[outcome];
}

static void print_line(const struct row *row, const u64 sums[OUTCOMES])
{
	u64 cases = 0;

	for (u32 outcome = OUTCOME_NONE + 1; outcome < OUTCOMES; outcome++)
		cases += sums[outcome];
	printf("| %s | %s | %llu | %llu | %llu | %llu | %llu | %llu |\n", row->input, row->change,
	       (unsigned long long)cases, (unsigned long long)sums[OUTCOME_SAME],
	       (unsigned long long)sums[OUTCOME_REFUSED],
	       (unsigned long long)sums[OUTCOME_INTERRUPTED],
	       (unsigned long long)sums[OUTCOME_FORMED], (unsigned long long)sums[OUTCOME_FAILED]);
	fflush(stdout);
}

u64 row_run(const struct row *row)
{
	u64 sample = setting("SAMPLE", 0), jobs = setting("JOBS", 1);
	struct plan plan = { .row = row, .seed = setting("SEED", 1), .count = row->count };
	u64 sums[OUTCOMES] = { 0 };
	struct worker *workers;
	int ret;

	plan.sampled = sample && sample < row->count;
	if (plan.sampled)
		plan.count = sample;
	jobs = jobs < 1 ? 1 : sendcp_min(jobs, (u64)JOBS_MAX);
	workers = mmap(NULL, jobs * sizeof(*workers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED) {
		perror("corruption: mmap");
		exit(1);
	}
	ret = run_all(&plan, workers, jobs);
	add_up(workers, jobs, sums);
	munmap(workers, jobs * sizeof(*workers));
	if (ret) {
		perror("corruption: fork");
		exit(1);
	}
	print_line(row, sums);
	return sums[OUTCOME_FAILED];
}
