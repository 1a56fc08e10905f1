// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failcall.so: counting, and choosing the call that fails. failcall.h says how it is used.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failcall.h"

#define LOCAL static __thread __attribute__((tls_model("initial-exec")))

/* The order of enum failcall_class. */
static const char *const class_names[CALL_CLASSES] = {
	"memory", "read", "queue", "write", "flush", "sync", "rename", "truncate", "open", "close",
	"ioctl", "thread", "process", "pipes", "lock", "poll", "stat",
};

/* What a new thread has to begin with. */
struct start {
	void *(*function)(void *);
	void *argument;
	uint32_t slot;
};

static struct failcall_table *table;
static uintptr_t program_base;
static bool armed;
static int fail_class = -1;
static int trace_class = -1;
static uint32_t fail_slot, fail_n;
static int fail_errno;
static bool fail_short, fail_kill, fail_on;
static struct start starts[FAILCALL_SLOTS];
static int (*program_main)(int, char **, char **);

/* Not counted until it is known: a sanitizer begins a thread, too. */
LOCAL uint32_t slot = FAILCALL_SLOTS;
/* Calls that this library makes itself do not count. */
LOCAL int inside;

void *failcall_real(void **cached, const char *name)
{
	if (!*cached) {
		inside++;
		*cached = dlsym(RTLD_NEXT, name);
		inside--;
	}
	return *cached;
}

static uint64_t hash_callers(void *const *frames, int count)
{
	uint64_t hash = 14695981039346656037u;

	for (int i = 0; i < count; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
	return hash;
}

static void record(uint32_t n)
{
	void *frames[FAILCALL_DEPTH];
	uint32_t at = __atomic_fetch_add(&table->records, 1, __ATOMIC_RELAXED);
	int count = backtrace(frames, FAILCALL_DEPTH);

	if (at < FAILCALL_RECORDS)
		table->record[at] = (struct failcall_record){
			.slot = slot,
			.n = n,
			.callers = hash_callers(frames, count),
		};
}

static bool is_between(const char *name)
{
	return strstr(name, "failcall") || strstr(name, "/libc.so") || strstr(name, "/libasan") ||
	       strstr(name, "/libubsan");
}

static void record_object(void *const *frames, int count)
{
	const char *base;
	Dl_info info;

	for (int i = 0; i < count; i++) {
		if (!dladdr((char *)frames[i] - 1, &info) || is_between(info.dli_fname))
			continue;
		base = strrchr(info.dli_fname, '/');
		strncpy(table->object, base ? base + 1 : info.dli_fname,
			sizeof(table->object) - 1);
		return;
	}
}

static void record_hit(const char *function)
{
	void *frames[FAILCALL_DEPTH];
	int count = backtrace(frames, FAILCALL_DEPTH);

	for (int i = 0; i < count; i++)
		table->callers[i] = (uintptr_t)frames[i] - program_base;
	strncpy(table->function, function, sizeof(table->function) - 1);
	record_object(frames, count);
}

/* Is this the one, or after it? */
static bool chosen(enum failcall_class class, uint32_t n, const char *function)
{
	if ((int)class != fail_class)
		return false;
	if (__atomic_load_n(&table->hits, __ATOMIC_ACQUIRE))
		return fail_on && __atomic_fetch_add(&table->hits, 1, __ATOMIC_ACQ_REL);
	if (slot != fail_slot || n != fail_n)
		return false;
	record_hit(function);
	__atomic_fetch_add(&table->hits, 1, __ATOMIC_ACQ_REL);
	return true;
}

enum failcall_way failcall_next(enum failcall_class class, const char *function)
{
	enum failcall_way way = GO_ON;
	uint32_t n;

	if (!armed || inside || slot >= FAILCALL_SLOTS)
		return GO_ON;
	inside++;
	n = ++table->counts[slot][class];
	if ((int)class == trace_class)
		record(n);
	if (chosen(class, n, function)) {
		if (fail_kill)
			kill(getpid(), SIGKILL);
		way = fail_short ? SHORTEN : FAIL;
		errno = fail_errno;
	}
	inside--;
	return way;
}

bool failcall_fails(enum failcall_class class, const char *function)
{
	return failcall_next(class, function) == FAIL;
}

static int find_class(const char *name, size_t length)
{
	for (int i = 0; i < CALL_CLASSES; i++)
		if (strlen(class_names[i]) == length && !memcmp(class_names[i], name, length))
			return i;
	fprintf(stderr, "failcall: no such class: %s\n", name);
	_exit(125);
}

static void choose(const char *text)
{
	const char *colon = strchr(text, ':');
	char way[16] = "";
	size_t length;

	if (!colon || sscanf(colon, ":%u:%u:%15s", &fail_slot, &fail_n, way) != 3) {
		fprintf(stderr, "failcall: CLASS:SLOT:N:WAY expected: %s\n", text);
		_exit(125);
	}
	fail_class = find_class(text, (size_t)(colon - text));
	length = strlen(way);
	fail_on = way[length - 1] == '+';
	if (fail_on)
		way[length - 1] = '\0';
	fail_short = !strcmp(way, "short");
	fail_kill = !strcmp(way, "kill");
	fail_errno = atoi(way);
}

static void open_table(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || table == MAP_FAILED) {
		perror(path);
		_exit(125);
	}
	close(fd);
	table->slots = 1;
}

static int find_base(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	*(uintptr_t *)data = info->dlpi_addr;
	return 1;
}

static void __attribute__((constructor)) begin(void)
{
	const char *fail = getenv("FAILCALL"), *trace = getenv("FAILCALL_TRACE");
	const char *path = getenv("FAILCALL_TABLE");
	void *frame;

	if (!path)
		return;
	inside++;
	open_table(path);
	/* The first of them loads a library. */
	backtrace(&frame, 1);
	dl_iterate_phdr(find_base, &program_base);
	if (fail)
		choose(fail);
	if (trace)
		trace_class = find_class(trace, strlen(trace));
	unsetenv("LD_PRELOAD");
	inside--;
}

static int counted_main(int argc, char **argv, char **environment)
{
	armed = table;
	slot = 0;
	return program_main(argc, argv, environment);
}

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*loader_fini)(void), void *end);

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*loader_fini)(void), void *end)
{
	static void *real;
	int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		     void (*)(void), void *);

	*(void **)&start = failcall_real(&real, "__libc_start_main");
	program_main = program;
	return start(counted_main, argc, argv, init, fini, loader_fini, end);
}

static uint32_t new_slot(void)
{
	return armed ? __atomic_fetch_add(&table->slots, 1, __ATOMIC_RELAXED) : FAILCALL_SLOTS;
}

static void *run_thread(void *argument)
{
	const struct start *start = argument;

	slot = start->slot;
	return start->function(start->argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
		   void *argument)
{
	static void *real;
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	uint32_t number;

	*(void **)&create = failcall_real(&real, "pthread_create");
	if (failcall_fails(CALL_THREAD, "pthread_create"))
		return errno;
	number = new_slot();
	if (number >= FAILCALL_SLOTS)
		return create(thread, attributes, function, argument);
	starts[number] = (struct start){
		.function = function,
		.argument = argument,
		.slot = number,
	};
	return create(thread, attributes, run_thread, &starts[number]);
}

pid_t fork(void)
{
	static void *real;
	pid_t (*make)(void);
	uint32_t number;
	pid_t pid;

	*(void **)&make = failcall_real(&real, "fork");
	if (failcall_fails(CALL_PROCESS, "fork"))
		return -1;
	number = new_slot();
	pid = make();
	if (!pid)
		slot = number;
	return pid;
}
