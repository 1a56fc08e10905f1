// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failcall.so: the calls that can be made to fail. Each does what the function of its name does
 * unless failcall_next() says otherwise. A call that is shortened transfers the half.
 */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "failcall.h"

/* The functions are declared here: headers have them under other names, and as macros. */
struct iovec;
struct iocb;
struct timespec;
struct pollfd;
struct stat;
struct statfs;
struct statx;
struct file_handle;
struct io_context;
struct _IO_FILE;
struct __dirstream;

#define DEFINE(ret, name, parameters)						\
	ret name parameters;							\
	ret name parameters

/* The function of that name, after this one. */
#define REAL(ret, name, parameters)						\
	static void *cached_;							\
	ret (*real_) parameters;						\
	*(void **)&real_ = failcall_real(&cached_, #name)

/* A function that fails with @failed and errno. */
#define FAILING(class, failed, ret, name, parameters, ...)			\
	DEFINE(ret, name, parameters)						\
	{									\
		REAL(ret, name, parameters);					\
		if (failcall_fails(class, #name))				\
			return failed;						\
		return real_(__VA_ARGS__);					\
	}

/* One that returns how many bytes of @size it transferred. */
#define TRANSFERRING(class, name, parameters, size, ...)			\
	DEFINE(ssize_t, name, parameters)					\
	{									\
		REAL(ssize_t, name, parameters);				\
		switch (failcall_next(class, #name)) {				\
		case FAIL:							\
			return -1;						\
		case SHORTEN:							\
			size = (size + 1) / 2;					\
			/* fallthrough */					\
		default:							\
			return real_(__VA_ARGS__);				\
		}								\
	}

/*
 * Looking for a real function may need memory, before there is one to ask. It is little, and never
 * freed by the real free(), which may not know it.
 */
static char early[65536] __attribute__((aligned(16)));
static size_t early_used;

static void *early_memory(size_t size)
{
	void *memory = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return memory;
}

static bool is_early(const void *memory)
{
	return (const char *)memory >= early && (const char *)memory < early + sizeof(early);
}

/* The real function, or NULL while that is being looked for. */
#define REAL_MEMORY(ret, name, parameters)					\
	static void *cached_;							\
	static bool looking_;							\
	ret (*real_) parameters = NULL;						\
	if (cached_ || !looking_) {						\
		looking_ = true;						\
		*(void **)&real_ = failcall_real(&cached_, #name);		\
		looking_ = false;						\
	}

DEFINE(void *, malloc, (size_t size))
{
	REAL_MEMORY(void *, malloc, (size_t));

	if (!real_)
		return early_memory(size);
	return failcall_fails(CALL_MEMORY, "malloc") ? NULL : real_(size);
}

DEFINE(void *, calloc, (size_t count, size_t size))
{
	REAL_MEMORY(void *, calloc, (size_t, size_t));

	if (!real_)
		return early_memory(count * size);
	return failcall_fails(CALL_MEMORY, "calloc") ? NULL : real_(count, size);
}

DEFINE(void *, realloc, (void *old, size_t size))
{
	REAL_MEMORY(void *, realloc, (void *, size_t));

	if (!old && !real_)
		return early_memory(size);
	/* Its size is not known: what is copied may go on into the new memory. */
	if (is_early(old) || !real_)
		return memmove(early_memory(size), old, size);
	return failcall_fails(CALL_MEMORY, "realloc") ? NULL : real_(old, size);
}

DEFINE(void *, reallocarray, (void *old, size_t count, size_t size))
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes))
		return realloc(old, bytes);
	errno = ENOMEM;
	return NULL;
}

DEFINE(void, free, (void *memory))
{
	REAL_MEMORY(void, free, (void *));

	if (real_ && !is_early(memory))
		real_(memory);
}

/* Those of a sanitizer do not use malloc(). */
DEFINE(char *, strdup, (const char *text))
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

DEFINE(char *, strndup, (const char *text, size_t most))
{
	size_t size = strnlen(text, most);
	char *copy = malloc(size + 1);

	if (!copy)
		return NULL;
	copy[size] = '\0';
	return memcpy(copy, text, size);
}

DEFINE(int, posix_memalign, (void **memory, size_t alignment, size_t size))
{
	REAL(int, posix_memalign, (void **, size_t, size_t));

	if (failcall_fails(CALL_MEMORY, "posix_memalign"))
		return ENOMEM;
	return real_(memory, alignment, size);
}

FAILING(CALL_MEMORY, NULL, void *, aligned_alloc, (size_t alignment, size_t size), alignment, size)

TRANSFERRING(CALL_READ, read, (int fd, void *data, size_t size), size, fd, data, size)
TRANSFERRING(CALL_READ, pread, (int fd, void *data, size_t size, off_t at), size, fd, data, size,
	     at)
TRANSFERRING(CALL_READ, pread64, (int fd, void *data, size_t size, off_t at), size, fd, data, size,
	     at)
FAILING(CALL_READ, -1, ssize_t, preadv, (int fd, const struct iovec *v, int count, off_t at), fd, v,
	count, at)
FAILING(CALL_READ, -1, ssize_t, preadv64, (int fd, const struct iovec *v, int count, off_t at), fd,
	v, count, at)
FAILING(CALL_READ, -1, ssize_t, getdelim, (char **line, size_t *size, int end, struct _IO_FILE *f),
	line, size, end, f)
FAILING(CALL_READ, NULL, void *, readdir, (struct __dirstream *d), d)
FAILING(CALL_READ, NULL, void *, readdir64, (struct __dirstream *d), d)

/* libaio's functions return the errno. */
FAILING(CALL_QUEUE, -errno, int, io_setup, (int most, struct io_context **context), most, context)
FAILING(CALL_QUEUE, -errno, int, io_submit, (struct io_context *context, long count,
	struct iocb **requests), context, count, requests)
FAILING(CALL_QUEUE, -errno, int, io_getevents, (struct io_context *context, long least, long most,
	void *events, struct timespec *patience), context, least, most, events, patience)

/* Messages are what a failure is judged by. */
DEFINE(ssize_t, write, (int fd, const void *data, size_t size))
{
	REAL(ssize_t, write, (int, const void *, size_t));

	switch (fd == 2 ? GO_ON : failcall_next(CALL_WRITE, "write")) {
	case FAIL:
		return -1;
	case SHORTEN:
		size = (size + 1) / 2;
		/* fallthrough */
	default:
		return real_(fd, data, size);
	}
}

TRANSFERRING(CALL_WRITE, pwrite, (int fd, const void *data, size_t size, off_t at), size, fd, data,
	     size, at)
TRANSFERRING(CALL_WRITE, pwrite64, (int fd, const void *data, size_t size, off_t at), size, fd,
	     data, size, at)
FAILING(CALL_WRITE, -1, ssize_t, writev, (int fd, const struct iovec *v, int count), fd, v, count)

FAILING(CALL_FLUSH, -1, int, fflush, (struct _IO_FILE *f), f)

FAILING(CALL_SYNC, -1, int, fsync, (int fd), fd)
FAILING(CALL_SYNC, -1, int, fdatasync, (int fd), fd)
FAILING(CALL_SYNC, -1, int, sync_file_range, (int fd, off_t at, off_t size, unsigned int flags), fd,
	at, size, flags)

FAILING(CALL_RENAME, -1, int, rename, (const char *from, const char *to), from, to)
FAILING(CALL_RENAME, -1, int, link, (const char *from, const char *to), from, to)
FAILING(CALL_RENAME, -1, int, symlink, (const char *target, const char *path), target, path)
FAILING(CALL_RENAME, -1, int, unlink, (const char *path), path)
FAILING(CALL_RENAME, -1, int, mkdir, (const char *path, mode_t mode), path, mode)

FAILING(CALL_TRUNCATE, -1, int, ftruncate, (int fd, off_t size), fd, size)
FAILING(CALL_TRUNCATE, -1, int, ftruncate64, (int fd, off_t size), fd, size)
FAILING(CALL_TRUNCATE, -1, off_t, lseek, (int fd, off_t at, int from), fd, at, from)
FAILING(CALL_TRUNCATE, -1, off_t, lseek64, (int fd, off_t at, int from), fd, at, from)

/* With or without a mode: a register that nobody reads otherwise. */
#define OPENING(name, parameters, last, ...)					\
	DEFINE(int, name, parameters)						\
	{									\
		va_list list;							\
		mode_t mode;							\
		REAL(int, name, parameters);					\
		va_start(list, last);						\
		mode = va_arg(list, mode_t);					\
		va_end(list);							\
		if (failcall_fails(CALL_OPEN, #name))				\
			return -1;						\
		return real_(__VA_ARGS__, mode);				\
	}

OPENING(open, (const char *path, int flags, ...), flags, path, flags)
OPENING(open64, (const char *path, int flags, ...), flags, path, flags)
OPENING(openat, (int at, const char *path, int flags, ...), flags, at, path, flags)
OPENING(openat64, (int at, const char *path, int flags, ...), flags, at, path, flags)
FAILING(CALL_OPEN, -1, int, open_by_handle_at, (int at, struct file_handle *handle, int flags), at,
	handle, flags)
FAILING(CALL_OPEN, NULL, void *, fopen, (const char *path, const char *mode), path, mode)
FAILING(CALL_OPEN, NULL, void *, fopen64, (const char *path, const char *mode), path, mode)
FAILING(CALL_OPEN, NULL, void *, setmntent, (const char *path, const char *mode), path, mode)
FAILING(CALL_OPEN, NULL, void *, opendir, (const char *path), path)

/* The file is closed all the same, as by the kernel. */
DEFINE(int, close, (int fd))
{
	REAL(int, close, (int));
	bool fails = failcall_fails(CALL_CLOSE, "close");
	int err = errno, ret = real_(fd);

	if (!fails)
		return ret;
	errno = err;
	return -1;
}

DEFINE(int, ioctl, (int fd, unsigned long request, ...))
{
	va_list list;
	void *argument;

	REAL(int, ioctl, (int, unsigned long, ...));
	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return failcall_fails(CALL_IOCTL, "ioctl") ? -1 : real_(fd, request, argument);
}

DEFINE(int, posix_spawn, (pid_t *pid, const char *path, const void *actions, const void *attributes,
	char *const argv[], char *const environment[]))
{
	REAL(int, posix_spawn, (pid_t *, const char *, const void *, const void *, char *const *,
				char *const *));

	if (failcall_fails(CALL_PROCESS, "posix_spawn"))
		return errno;
	return real_(pid, path, actions, attributes, argv, environment);
}

FAILING(CALL_PROCESS, -1, pid_t, waitpid, (pid_t pid, int *status, int options), pid, status,
	options)
FAILING(CALL_PIPE, -1, int, pipe2, (int *ends, int flags), ends, flags)

FAILING(CALL_LOCK, -1, int, flock, (int fd, int operation), fd, operation)

#define CONTROLLING(name)							\
	DEFINE(int, name, (int fd, int command, ...))				\
	{									\
		va_list list;							\
		void *argument;							\
										\
		REAL(int, name, (int, int, ...));				\
		va_start(list, command);					\
		argument = va_arg(list, void *);				\
		va_end(list);							\
		return failcall_fails(CALL_LOCK, #name) ? -1 :			\
		       real_(fd, command, argument);				\
	}

CONTROLLING(fcntl)
CONTROLLING(fcntl64)

FAILING(CALL_POLL, -1, int, poll, (struct pollfd *fds, unsigned long count, int patience), fds,
	count, patience)

FAILING(CALL_STAT, -1, int, stat, (const char *path, struct stat *st), path, st)
FAILING(CALL_STAT, -1, int, stat64, (const char *path, struct stat *st), path, st)
FAILING(CALL_STAT, -1, int, lstat, (const char *path, struct stat *st), path, st)
FAILING(CALL_STAT, -1, int, lstat64, (const char *path, struct stat *st), path, st)
FAILING(CALL_STAT, -1, int, fstat, (int fd, struct stat *st), fd, st)
FAILING(CALL_STAT, -1, int, fstat64, (int fd, struct stat *st), fd, st)
FAILING(CALL_STAT, -1, int, fstatfs, (int fd, struct statfs *st), fd, st)
FAILING(CALL_STAT, -1, int, fstatfs64, (int fd, struct statfs *st), fd, st)
FAILING(CALL_STAT, -1, int, statx, (int at, const char *path, int flags, unsigned int mask,
	struct statx *st), at, path, flags, mask, st)
FAILING(CALL_STAT, -1, int, access, (const char *path, int mode), path, mode)
FAILING(CALL_STAT, -1, ssize_t, readlink, (const char *path, char *text, size_t size), path, text,
	size)
FAILING(CALL_STAT, NULL, char *, realpath, (const char *path, char *resolved), path, resolved)
