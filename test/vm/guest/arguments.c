// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every field of the arguments wrong in turn, with the errno that include/uapi/sendcp.h says.
 *
 * A row sets some fields of good arguments. A call that fails has made nothing: no byte in the
 * pipe, no checkpoint; and after all of them the same open file still works.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define SEND 1
#define STREAM 2
#define BOTH 3
/* No address of a user. */
#define NOWHERE 0x10ull
#define KERNEL 0xffff888000000000ull
#define UNUSED 0xa5

/* A field and the value it is set to. */
struct set {
	unsigned int offset;
	unsigned int size;
	uint64_t value;
};

#define SET(field, to) \
	{ offsetof(struct sendcp_send, field), sizeof(((struct sendcp_send *)0)->field), \
	  (uint64_t)(to) }

struct row {
	const char *what;
	int commands;
	int expected;
	struct set sets[3];
};

/* The objects of all rows. */
static struct {
	struct sending sending;
	struct target target;
	int pipe_read;
	int pipe_write;
} with;

/* The address of an array of two fds; never given back. */
static uint64_t fds(int first, int second)
{
	int32_t *list = malloc(2 * sizeof(*list));

	list[0] = first;
	list[1] = second;
	return (uintptr_t)list;
}

static int open_or_give_up(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		give_up("%s: %m", path);
	return fd;
}

static void good_arguments(unsigned long command)
{
	struct sendcp_send *args = &with.sending.args;

	with.sending.checkpoint_size = 0;
	sending_arguments(&with.sending);
	args->new_checkpoint_capacity = CHECKPOINT_ROOM;
	if (command == SENDCP_IOC_STREAM) {
		args->flags |= SENDCP_ONE_COMMAND;
		args->buffer = 0;
		args->buffer_size = 0;
		args->output_fd = with.pipe_write;
	}
	memset(with.sending.next, UNUSED, 4096);
}

static int bytes_in_pipe(void)
{
	int bytes = 0;

	ioctl(with.pipe_read, FIONREAD, &bytes);
	return bytes;
}

static void empty_pipe(void)
{
	char data[4096];

	while (bytes_in_pipe() > 0)
		if (read(with.pipe_read, data, sizeof(data)) <= 0)
			break;
}

/*
 * A STREAM keeps a checkpoint before it writes: the space for it may be used even if nothing comes
 * out.
 */
static bool untouched(unsigned long command)
{
	unsigned int i;

	for (i = 0; command == SENDCP_IOC_SEND && i < 4096; i++)
		if (with.sending.next[i] != UNUSED)
			return false;
	return !bytes_in_pipe();
}

static void apply(const struct set *set)
{
	/* Little-endian, as every machine this runs on. */
	if (set->size)
		memcpy((uint8_t *)&with.sending.args + set->offset, &set->value, set->size);
}

static void try_row(const struct row *row, unsigned long command, const char *name)
{
	struct sendcp_send *args = &with.sending.args;
	unsigned int i;
	int ret;

	good_arguments(command);
	for (i = 0; i < 3; i++)
		apply(&row->sets[i]);
	ret = call(with.sending.device, command, args);
	if (!is_errno(ret, -row->expected, "%s: %s", name, row->what))
		note("reason %s %s", with.sending.error.reason, with.sending.error.detail);
	else if (row->expected && !untouched(command))
		ok(false, "%s: %s: failed, but something was made", name, row->what);
	else if (!row->expected && !args->filled)
		ok(false, "%s: %s: nothing was made", name, row->what);
	empty_pipe();
}

static void try_rows(const struct row *rows, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (rows[i].commands & SEND)
			try_row(&rows[i], SENDCP_IOC_SEND, "SEND");
		if (rows[i].commands & STREAM)
			try_row(&rows[i], SENDCP_IOC_STREAM, "STREAM");
	}
}

#define TRY(rows) try_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void numbers(void)
{
	const struct row rows[] = {
		{ "good arguments", BOTH, 0, { { 0 } } },
		{ "size 0", BOTH, EINVAL, { SET(size, 0) } },
		{ "size one byte short", BOTH, EINVAL, { SET(size, SENDCP_SEND_SIZE_V1 - 1) } },
		{ "size of a pointer", BOTH, EINVAL, { SET(size, 8) } },
		{ "size all ones", BOTH, E2BIG, { SET(size, ~0u) } },
		{ "size beyond a page", BOTH, E2BIG, { SET(size, 1 << 20) } },
		{ "flag 3", BOTH, EINVAL, { SET(flags, 0x8) } },
		{ "flag 8", BOTH, EINVAL, { SET(flags, 0x100) } },
		{ "flag 19", BOTH, EINVAL, { SET(flags, 0x80000) } },
		{ "flag 31", BOTH, EINVAL, { SET(flags, 1u << 31) } },
		{ "compressed data, protocol 1", BOTH, EINVAL, { SET(flags, SENDCP_COMPRESSED) } },
		{ "split writes into a file", STREAM, EINVAL, { SET(flags, SENDCP_SPLIT_WRITES) } },
		{ "protocol 0", BOTH, EPROTO, { SET(protocol, 0) } },
		{ "protocol 3", BOTH, EPROTO, { SET(protocol, 3) } },
		{ "protocol all ones", BOTH, EPROTO, { SET(protocol, ~0u) } },
		{ "something in reserved", BOTH, EINVAL, { SET(reserved, 1) } },
		{ "skip, SEND", SEND, EINVAL, { SET(skip, 1) } },
		{ "skip beyond the command", STREAM, EINVAL, { SET(skip, 1 << 20) } },
		{ "skip all ones", STREAM, EINVAL, { SET(skip, ~0ull) } },
		{ "out fields full of rubbish", BOTH, 0,
		  { SET(filled, ~0ull), SET(new_checkpoint_size, 7), SET(result, 5) } },
	};

	TRY(rows);
}

static void subvolumes(char **argv, int device)
{
	int directory = open_or_give_up("/tmp", O_RDONLY);
	int inside = openat(with.target.subvolume, "sizes", O_RDONLY | O_CLOEXEC);
	int file = openat(with.target.subvolume, "sizes/8192", O_RDONLY | O_CLOEXEC);
	int writable = open_or_give_up(argv[2], O_RDONLY);
	int other = open_or_give_up(argv[3], O_RDONLY);
	int path_only = open_or_give_up(argv[0], O_PATH);
	int process = open_or_give_up("/proc/self", O_RDONLY);
	const struct row rows[] = {
		{ "subvolume -1", BOTH, EBADF, { SET(subvolume_fd, -1) } },
		{ "subvolume not open", BOTH, EBADF, { SET(subvolume_fd, 1000) } },
		{ "subvolume the smallest number", BOTH, EBADF, { SET(subvolume_fd, 1u << 31) } },
		{ "subvolume opened as a path only", BOTH, EBADF,
		  { SET(subvolume_fd, path_only) } },
		{ "subvolume a file", BOTH, EINVAL, { SET(subvolume_fd, file) } },
		{ "subvolume a directory within one", BOTH, EINVAL, { SET(subvolume_fd, inside) } },
		{ "subvolume on tmpfs", BOTH, EINVAL, { SET(subvolume_fd, directory) } },
		{ "subvolume in /proc", BOTH, EINVAL, { SET(subvolume_fd, process) } },
		{ "subvolume a pipe", BOTH, EINVAL, { SET(subvolume_fd, with.pipe_read) } },
		{ "subvolume a block device", BOTH, EINVAL, { SET(subvolume_fd, device) } },
		{ "subvolume the module's own device", BOTH, EINVAL,
		  { SET(subvolume_fd, with.sending.device) } },
		{ "subvolume writable", BOTH, EPERM, { SET(subvolume_fd, writable) } },
		{ "subvolume of another filesystem than the devices", BOTH, EXDEV,
		  { SET(subvolume_fd, other) } },
		{ "parent not open", BOTH, EBADF, { SET(parent_fd, 1000) } },
		{ "parent -2", BOTH, EBADF, { SET(parent_fd, -2) } },
		{ "parent AT_FDCWD", BOTH, EBADF, { SET(parent_fd, AT_FDCWD) } },
		{ "parent a file", BOTH, EINVAL, { SET(parent_fd, file) } },
		{ "parent a directory within", BOTH, EINVAL, { SET(parent_fd, inside) } },
		{ "parent writable", BOTH, EPERM, { SET(parent_fd, writable) } },
		{ "parent on another filesystem", BOTH, EXDEV, { SET(parent_fd, other) } },
		{ "clone source not open", BOTH, EBADF,
		  { SET(clone_fds, fds(1000, 0)), SET(clone_count, 1) } },
		{ "clone source a file", BOTH, EINVAL,
		  { SET(clone_fds, fds(file, 0)), SET(clone_count, 1) } },
		{ "clone source writable", BOTH, EPERM,
		  { SET(clone_fds, fds(writable, 0)), SET(clone_count, 1) } },
		{ "clone source on another filesystem", BOTH, EXDEV,
		  { SET(clone_fds, fds(other, 0)), SET(clone_count, 1) } },
		{ "clone sources at no address", BOTH, EFAULT,
		  { SET(clone_fds, NOWHERE), SET(clone_count, 1) } },
		{ "clone sources at 0", BOTH, EFAULT, { SET(clone_count, 1) } },
		{ "clone sources, none of them", BOTH, EINVAL, { SET(clone_fds, fds(1, 2)) } },
		{ "too many clone sources", BOTH, E2BIG,
		  { SET(clone_fds, fds(1, 2)), SET(clone_count, SENDCP_CLONES_MAX + 1) } },
		{ "clone sources all ones", BOTH, E2BIG,
		  { SET(clone_fds, fds(1, 2)), SET(clone_count, ~0u) } },
	};

	TRY(rows);
}

static void devices(char **argv)
{
	int own = with.target.devices[0];
	int other = open_or_give_up(argv[3], O_RDONLY);
	int32_t others[DEVICES_MOST];
	int file = openat(with.target.subvolume, "sizes/8192", O_RDONLY | O_CLOEXEC);
	int zero = open_or_give_up("/dev/zero", O_RDONLY);
	int path_only = open_or_give_up("/dev/vda", O_PATH);

	devices_open(other, others);

	const struct row rows[] = {
		{ "no devices", BOTH, EINVAL, { SET(device_fds, 0), SET(device_count, 0) } },
		{ "devices, none of them", BOTH, EINVAL, { SET(device_count, 0) } },
		{ "too many devices", BOTH, E2BIG, { SET(device_count, SENDCP_DEVICES_MAX + 1) } },
		{ "devices all ones", BOTH, E2BIG, { SET(device_count, ~0u) } },
		{ "devices at 0", BOTH, EFAULT, { SET(device_fds, 0) } },
		{ "devices at no address", BOTH, EFAULT, { SET(device_fds, NOWHERE) } },
		{ "devices at a kernel address", BOTH, EFAULT, { SET(device_fds, KERNEL) } },
		{ "device not open", BOTH, EBADF, { SET(device_fds, fds(1000, 0)) } },
		{ "device -1", BOTH, EBADF, { SET(device_fds, fds(-1, 0)) } },
		{ "device opened as a path only", BOTH, EBADF,
		  { SET(device_fds, fds(path_only, 0)) } },
		{ "device a file", BOTH, ENOTBLK, { SET(device_fds, fds(file, 0)) } },
		{ "device a character device", BOTH, ENOTBLK, { SET(device_fds, fds(zero, 0)) } },
		{ "device a directory", BOTH, ENOTBLK,
		  { SET(device_fds, fds(with.target.subvolume, 0)) } },
		{ "device a pipe", BOTH, ENOTBLK, { SET(device_fds, fds(with.pipe_read, 0)) } },
		{ "device of another filesystem", BOTH, EXDEV,
		  { SET(device_fds, fds(others[0], 0)) } },
		{ "devices of two filesystems", BOTH, EXDEV,
		  { SET(device_fds, fds(own, others[0])), SET(device_count, 2) } },
		{ "second device a file", BOTH, ENOTBLK,
		  { SET(device_fds, fds(own, file)), SET(device_count, 2) } },
	};

	TRY(rows);
}

/* A file that nothing can be appended to. */
static int open_full(void)
{
	char zeros[4096] = { 0 };
	int fd;

	mkdir("/tmp/full", 0700);
	if (mount("tmpfs", "/tmp/full", "tmpfs", 0, "size=4k"))
		give_up("mount: %m");
	fd = open_or_give_up("/tmp/full/file", O_WRONLY | O_CREAT);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	umount2("/tmp/full", MNT_DETACH);
	return fd;
}

static void outputs(void)
{
	int readable = open_or_give_up("/tmp/readable", O_RDONLY | O_CREAT);
	int null = open_or_give_up("/dev/null", O_WRONLY);
	int full = open_full();
	int path_only = open_or_give_up("/tmp/readable", O_PATH);
	int broken[2];

	if (pipe(broken))
		give_up("pipe: %m");
	close(broken[0]);

	const struct row rows[] = {
		{ "output_fd", SEND, EINVAL, { SET(output_fd, with.pipe_write) } },
		{ "output_fd 0", SEND, EINVAL, { SET(output_fd, 0) } },
		{ "no output", STREAM, EBADF, { SET(output_fd, -1) } },
		{ "output not open", STREAM, EBADF, { SET(output_fd, 1000) } },
		{ "output opened for reading", STREAM, EBADF, { SET(output_fd, readable) } },
		{ "output opened as a path only", STREAM, EBADF, { SET(output_fd, path_only) } },
		{ "output the reading end of a pipe", STREAM, EBADF,
		  { SET(output_fd, with.pipe_read) } },
		{ "output a directory", STREAM, EBADF, { SET(output_fd, with.target.subvolume) } },
		{ "output on a full filesystem", STREAM, ENOSPC, { SET(output_fd, full) } },
		{ "output a device the kernel cannot write to", STREAM, EINVAL,
		  { SET(output_fd, null) } },
		{ "output a pipe without a reader", STREAM, EPIPE, { SET(output_fd, broken[1]) } },
		{ "a buffer", STREAM, EINVAL, { SET(buffer, (uintptr_t)with.sending.buffer) } },
		{ "a buffer's size", STREAM, EINVAL, { SET(buffer_size, 65536) } },
	};

	TRY(rows);
	unlink("/tmp/readable");
}

static void checkpoint_room(void)
{
	static uint8_t rubbish[4096] = { 1, 2, 3 };
	uint64_t at = (uintptr_t)rubbish;
	const struct row rows[] = {
		{ "checkpoint at no address", BOTH, EFAULT,
		  { SET(checkpoint, NOWHERE), SET(checkpoint_size, 100) } },
		{ "checkpoint at 0", BOTH, EFAULT, { SET(checkpoint_size, 100) } },
		{ "checkpoint at a kernel address", BOTH, EFAULT,
		  { SET(checkpoint, KERNEL), SET(checkpoint_size, 100) } },
		{ "checkpoint of no size", BOTH, EINVAL, { SET(checkpoint, at) } },
		{ "checkpoint of one byte", BOTH, EILSEQ,
		  { SET(checkpoint, at), SET(checkpoint_size, 1) } },
		{ "checkpoint of rubbish", BOTH, EILSEQ,
		  { SET(checkpoint, at), SET(checkpoint_size, sizeof(rubbish)) } },
		{ "checkpoint too large", BOTH, E2BIG,
		  { SET(checkpoint, at), SET(checkpoint_size, SENDCP_CHECKPOINT_MAX + 1) } },
		{ "checkpoint of all ones", BOTH, E2BIG,
		  { SET(checkpoint, at), SET(checkpoint_size, ~0ull) } },
		{ "no room for a checkpoint", BOTH, EMSGSIZE,
		  { SET(new_checkpoint, 0), SET(new_checkpoint_capacity, 0) } },
		{ "little room for a checkpoint", BOTH, EMSGSIZE,
		  { SET(new_checkpoint_capacity, 16) } },
		{ "room of all ones", BOTH, 0, { SET(new_checkpoint_capacity, ~0ull) } },
		{ "rubbish and nowhere to say so", BOTH, EFAULT,
		  { SET(checkpoint, at), SET(checkpoint_size, 100), SET(error, NOWHERE) } },
		{ "rubbish and nobody to tell", BOTH, EILSEQ,
		  { SET(checkpoint, at), SET(checkpoint_size, 100), SET(error, 0) } },
		{ "nowhere for errors, and none", BOTH, 0, { SET(error, NOWHERE) } },
	};

	TRY(rows);
}

/* The size that the checkpoint would have needed is returned. */
static void room_told(unsigned long command, const char *name)
{
	struct sendcp_send *args = &with.sending.args;
	uint64_t needed;

	good_arguments(command);
	args->new_checkpoint_capacity = 16;
	call(with.sending.device, command, args);
	needed = args->new_checkpoint_size;
	good_arguments(command);
	args->new_checkpoint_capacity = needed;
	is_errno(call(with.sending.device, command, args), 0,
		 "%s: the room it said was enough (%llu)", name, (unsigned long long)needed);
	ok(needed > 16, "%s: the room needed was told", name);
	empty_pipe();
}

/*
 * The space for the checkpoint where nothing can be written: bytes that were filled do not count.
 */
static void room_unwritable(unsigned long command, const char *name)
{
	struct sendcp_send *args = &with.sending.args;

	good_arguments(command);
	args->new_checkpoint = NOWHERE;
	is_errno(call(with.sending.device, command, args), -EFAULT, "%s: checkpoint to no address",
		 name);
	empty_pipe();
	good_arguments(command);
	args->new_checkpoint = KERNEL;
	is_errno(call(with.sending.device, command, args), -EFAULT,
		 "%s: checkpoint to a kernel address", name);
	empty_pipe();
}

/* The structure itself: longer, cut off by the end of memory, read-only, nowhere. */
static void structure(unsigned long command, const char *name)
{
	struct sendcp_send *args = &with.sending.args;
	uint8_t *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	int device = with.sending.device;

	mprotect(pages + 4096, 4096, PROT_NONE);
	good_arguments(command);
	args->size = sizeof(*args) + 64;
	memcpy(pages, args, sizeof(*args));
	is_errno(call(device, command, pages), 0, "%s: a longer structure, zeros behind", name);
	empty_pipe();
	pages[sizeof(*args) + 63] = 1;
	is_errno(call(device, command, pages), -E2BIG, "%s: a longer structure, a one behind",
		 name);
	good_arguments(command);
	memcpy(pages + 4096 - 100, args, 100);
	is_errno(call(device, command, pages + 4096 - 100), -EFAULT, "%s: half a structure", name);
	memcpy(pages + 8192, args, sizeof(*args));
	mprotect(pages + 8192, 4096, PROT_READ);
	is_errno(call(device, command, pages + 8192), -EFAULT, "%s: a read-only structure", name);
	empty_pipe();
	is_errno(call(device, command, NULL), -EFAULT, "%s: no structure", name);
	is_errno(call(device, command, (void *)NOWHERE), -EFAULT, "%s: structure nowhere", name);
	is_errno(call(device, command, (void *)KERNEL), -EFAULT, "%s: structure in the kernel",
		 name);
	munmap(pages, 3 * 4096);
}

static void info(void)
{
	struct {
		struct sendcp_info info;
		uint8_t behind[64];
	} room;
	struct sendcp_info *got = &room.info;
	int device = with.sending.device;

	memset(&room, UNUSED, sizeof(room));
	got->size = sizeof(*got);
	is_errno(call(device, SENDCP_IOC_INFO, got), 0, "INFO");
	ok(got->abi_version == SENDCP_ABI_VERSION && got->protocol_min == 1 &&
	   got->protocol_max == 2 && got->flags == SENDCP_FLAGS_ALL &&
	   got->size == sizeof(*got), "INFO: what is known");
	ok(got->buffer_min[0] >= 65536 && got->buffer_min[1] >= got->buffer_min[0] &&
	   got->compat_kernel >= 618, "INFO: sizes and compat_kernel");
	ok(got->version[0] && memchr(got->version, 0, sizeof(got->version)), "INFO: version");
	ok(room.behind[0] == UNUSED, "INFO: nothing behind the structure is written");
	got->size = sizeof(room);
	is_errno(call(device, SENDCP_IOC_INFO, got), 0, "INFO: longer");
	ok(got->size == SENDCP_INFO_SIZE_V1 && !room.behind[0] && !room.behind[63],
	   "INFO: longer, zeros behind");
	got->size = SENDCP_INFO_SIZE_V1 - 1;
	is_errno(call(device, SENDCP_IOC_INFO, got), -EINVAL, "INFO: one byte short");
	got->size = 0;
	is_errno(call(device, SENDCP_IOC_INFO, got), -EINVAL, "INFO: size 0");
	got->size = ~0u;
	is_errno(call(device, SENDCP_IOC_INFO, got), -E2BIG, "INFO: size all ones");
	is_errno(call(device, SENDCP_IOC_INFO, NULL), -EFAULT, "INFO: nowhere");
	is_errno(call(device, SENDCP_IOC_INFO, (void *)KERNEL), -EFAULT, "INFO: in the kernel");
}

static void commands(void)
{
	char data[16] = { 0 };
	int device = with.sending.device;

	is_errno(call(device, _IO(0xC5, 0), NULL), -ENOTTY, "command 0");
	is_errno(call(device, _IO(0xC5, 4), NULL), -ENOTTY, "command 4");
	is_errno(call(device, _IO(0xC4, 1), NULL), -ENOTTY, "another driver's command");
	is_errno(call(device, _IOWR(0xC5, 1, struct sendcp_send), data), -ENOTTY,
		 "a command with a size");
	ok(read(device, data, 1) < 0, "the device cannot be read");
	ok(write(device, data, 1) < 0, "the device cannot be written");
	/* cppcheck-suppress leakReturnValNotUsed ; it fails */
	ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED,
	   "the device cannot be mapped");
}

int test_arguments(int argc, char **argv)
{
	struct job job = { .protocol = 1 };
	int pipe_fds[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(pipe_fds))
		give_up("pipe: %m");
	with.pipe_read = pipe_fds[0];
	with.pipe_write = pipe_fds[1];
	target_open(&with.target, &job, argv[0]);
	sending_init(&with.sending, &with.target, &job, 0);
	numbers();
	subvolumes(argv, with.target.devices[0]);
	devices(argv);
	outputs();
	checkpoint_room();
	room_told(SENDCP_IOC_SEND, "SEND");
	room_told(SENDCP_IOC_STREAM, "STREAM");
	room_unwritable(SENDCP_IOC_SEND, "SEND");
	room_unwritable(SENDCP_IOC_STREAM, "STREAM");
	structure(SENDCP_IOC_SEND, "SEND");
	structure(SENDCP_IOC_STREAM, "STREAM");
	info();
	commands();
	good_arguments(SENDCP_IOC_SEND);
	is_errno(sending_step(&with.sending), 0, "after all of these: a good call");
	sending_free(&with.sending);
	target_close(&with.target);
	return tap_end();
}
