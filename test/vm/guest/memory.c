// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The caller's buffer: every kind of memory, good and bad, and how much of it stays locked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define SIZE (1u << 20)
#define MANY (32u << 20)

static struct sending sending;

/* One call with this buffer. */
static int with_buffer(const void *buffer, uint64_t size)
{
	sending.checkpoint_size = 0;
	sending_arguments(&sending);
	sending.args.buffer = (uintptr_t)buffer;
	sending.args.buffer_size = size;
	return call(sending.device, SENDCP_IOC_SEND, &sending.args);
}

static void refused(const void *buffer, uint64_t size, int expected, const char *what)
{
	is_errno(with_buffer(buffer, size), -expected, "%s", what);
	if (sending.args.filled)
		ok(false, "%s: filled %llu", what, (unsigned long long)sending.args.filled);
}

/* The whole stream through a buffer elsewhere. */
static void whole(void *buffer, size_t size, char **expected, const char *what)
{
	uint8_t *own = sending.buffer;
	struct sink sink;
	int ret;

	sink_init(&sink, false);
	sending.checkpoint_size = 0;
	sending.buffer = buffer;
	sending.buffer_size = size;
	ret = sending_all(&sending, &sink);
	if (is_errno(ret, 0, "%s: taken", what))
		stream_is(&sink, expected[0], expected[1], what);
	sending.buffer = own;
	sending.buffer_size = BUFFER_SIZE;
	sink_free(&sink);
}

static void *map(size_t size, int protection, int flags, int fd)
{
	void *at = mmap(NULL, size, protection, flags, fd, 0);

	if (at == MAP_FAILED)
		give_up("mmap: %m");
	return at;
}

static int new_file(const char *directory)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/mapped", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SIZE))
		give_up("%s: %m", path);
	return fd;
}

static void taken(const char *directory, char **expected)
{
	void *many = map(MANY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	void *file = map(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, new_file(directory));
	void *huge = (void *)(((uintptr_t)many + (2 << 20)) & ~((2ul << 20) - 1));
	/* cppcheck-suppress allocaCalled ; memory of the stack is the subject */
	uint8_t *stack = alloca(200000);

	whole(many, MANY, expected, "a buffer larger than is ever used");
	ok(sending.args.filled <= SENDCP_BUFFER_MAX, "no more than the limit is filled");
	whole(file, SIZE, expected, "a private mapping of a file");
	whole(stack, 200000, expected, "the stack");
	whole(malloc(SIZE), SIZE, expected, "the heap");
	if (!madvise(huge, 16 << 20, MADV_HUGEPAGE))
		memset(huge, 1, 16 << 20);
	whole(huge, 4 << 20, expected, "memory that may be of huge pages");
	munmap(many, MANY);
}

static void not_taken(const char *directory)
{
	int rw = PROT_READ | PROT_WRITE;
	int file = new_file(directory);
	uint8_t *hole = map(3 * SIZE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint8_t *good = map(SIZE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint8_t *mapped = map(SIZE, rw, MAP_SHARED, file);

	munmap(hole + SIZE, SIZE);
	refused(NULL, 0, ENOBUFS, "no buffer");
	refused(good, 0, ENOBUFS, "a buffer of no size");
	refused(good, 1, ENOBUFS, "a buffer of one byte");
	refused(good, 16, ENOBUFS, "a buffer of 16 bytes");
	refused(NULL, SIZE, EFAULT, "a buffer at 0");
	refused((void *)0x10, SIZE, EFAULT, "a buffer at no address");
	refused((void *)0xffff888000000000ul, SIZE, EFAULT, "a buffer at a kernel address");
	refused((void *)-4096L, SIZE, EFAULT, "a buffer that wraps around");
	refused((void *)0x7ffffffff000, SIZE, EFAULT, "a buffer beyond the end of user memory");
	refused(hole + SIZE / 2, SIZE, EFAULT, "a buffer with a hole");
	refused(hole + SIZE, SIZE, EFAULT, "a buffer that is unmapped");
	refused(good, ~0ull, EFAULT, "a buffer of all that there is");
	refused(map(SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1), SIZE, EFAULT,
		"a read-only buffer");
	refused(map(SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1), SIZE, EFAULT,
		"a buffer that nobody may touch");
	refused(map(SIZE, rw, MAP_SHARED | MAP_ANONYMOUS, -1), SIZE, EFAULT, "a shared buffer");
	refused(mapped, SIZE, EFAULT, "a shared mapping of a file");
	memset(mapped, 1, SIZE);
	refused(mapped, SIZE, EFAULT, "a shared mapping of a file, written to before");
	refused(map(SIZE, PROT_READ, MAP_SHARED, file), SIZE, EFAULT,
		"a read-only mapping of a file");
	file = memfd_create("m", MFD_CLOEXEC);
	if (ftruncate(file, SIZE))
		give_up("memfd: %m");
	refused(map(SIZE, rw, MAP_SHARED, file), SIZE, EFAULT, "a memfd");
}

/* Kilobytes by a line of /proc/self/status. */
static long status_line(const char *name)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long value = -1;

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name) + 1);
	if (status)
		fclose(status);
	return value;
}

int test_memory(int argc, char **argv)
{
	struct job job = { .protocol = 1 };
	struct target target;
	long locked = status_line("VmLck");
	long pinned = status_line("VmPin");

	target_open(&target, &job, argv[2]);
	sending_init(&sending, &target, &job, 0);
	taken(argv[3], argv);
	not_taken(argv[3]);
	whole(sending.buffer, BUFFER_SIZE, argv, "after all of these: a plain buffer");
	ok(status_line("VmLck") == locked && status_line("VmPin") == pinned && locked >= 0,
	   "no memory stays locked or pinned");
	sending_free(&sending);
	target_close(&target);
	return tap_end();
}
