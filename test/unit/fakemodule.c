// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel module that is not one.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fakemodule.h"

/* Numbers that only have to come through. */
#define SUBVOLUME_FD 1001
#define PARENT_FD 1002
#define DEVICE_FD 1003
#define CLONE_FD 1004

static int fake_open(const struct module_access *access)
{
	struct fake_module *fake = (struct fake_module *)access;

	fake->opens++;
	if (!fake->open_errno)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	errno = fake->open_errno;
	return -1;
}

static void *pointer(u64 address)
{
	return (void *)(uintptr_t)address;
}

/* All that the header demands of a caller. */
static void check_arguments(const struct fake_module *fake, const struct sendcp_send *args)
{
	const struct sendcp_request *request = fake->request;
	const int *clones = pointer(args->clone_fds);
	const int *devices = pointer(args->device_fds);

	assert_int_equal(args->size, SENDCP_SEND_SIZE_V1);
	assert_int_equal(args->flags & ~SENDCP_FLAGS_ALL, 0);
	assert_int_equal(args->flags & ~(SENDCP_ONE_COMMAND | SENDCP_SPLIT_WRITES), fake->flags);
	assert_int_equal(args->protocol, request->protocol);
	assert_int_equal(args->subvolume_fd, SUBVOLUME_FD);
	assert_int_equal(args->parent_fd, request->parent ? PARENT_FD : -1);
	assert_int_equal(args->output_fd, -1);
	assert_int_equal(args->device_count, 2);
	assert_int_equal(devices[0], DEVICE_FD);
	assert_int_equal(devices[1], DEVICE_FD + 1);
	assert_int_equal(args->clone_count, request->clone_count);
	for (u32 i = 0; i < request->clone_count; i++)
		assert_int_equal(clones[i], CLONE_FD + (int)i);
	assert_int_equal(!args->checkpoint, !args->checkpoint_size);
	assert_int_equal(args->skip | args->reserved, 0);
	assert_int_equal(((struct sendcp_failure *)pointer(args->error))->size,
			 sizeof(struct sendcp_failure));
}

static int fail_call(struct sendcp_send *args, int err, const struct sendcp_failure *error)
{
	struct sendcp_failure *out = pointer(args->error);

	*out = *error;
	out->size = sizeof(*out);
	out->err = (u32)err;
	return err;
}

/* As the module does: from the checkpoint alone. */
static int work(struct fake_module *fake, struct sendcp_engine *engine, struct sendcp_send *args)
{
	struct sendcp_fill fill = {
		.buffer = pointer(args->buffer),
		.size = args->buffer_size,
		.flags = (args->flags & SENDCP_ONE_COMMAND ? SENDCP_FILL_ONE_COMMAND : 0) |
			 (args->flags & SENDCP_SPLIT_WRITES ? SENDCP_FILL_SPLIT_WRITES : 0),
	};
	void *checkpoint;
	size_t size;
	int ret = 0;

	if (fake->fill_limit && fill.size > fake->fill_limit)
		fill.size = fake->fill_limit;
	if (args->checkpoint_size)
		ret = sendcp_engine_rearm(engine, pointer(args->checkpoint), args->checkpoint_size);
	if (!ret)
		ret = sendcp_engine_fill(engine, &fill);
	if (ret)
		return -ret;
	ret = sendcp_engine_checkpoint(engine, &checkpoint, &size);
	if (ret)
		return -ret;
	args->new_checkpoint_size = size;
	if (size <= args->new_checkpoint_capacity)
		memcpy(pointer(args->new_checkpoint), checkpoint, size);
	sendcp_free(checkpoint);
	if (size > args->new_checkpoint_capacity)
		return EMSGSIZE;
	args->filled = fill.filled;
	args->offset = sendcp_engine_offset(engine);
	args->result = fill.end ? SENDCP_RESULT_END : 0;
	return 0;
}

static int answer(struct fake_module *fake, struct sendcp_send *args)
{
	struct sendcp_engine *engine;
	int err;

	check_arguments(fake, args);
	if (fake->instead)
		return fake->instead(fake, args);
	if (fake->failures) {
		fake->failures--;
		return fail_call(args, fake->fail_errno, &fake->fail_error);
	}
	if (args->new_checkpoint_capacity < fake->room_wanted) {
		/* A checkpoint may have grown again meanwhile. */
		args->new_checkpoint_size = fake->room_told ? *fake->room_told :
					    args->new_checkpoint_capacity + 1000;
		return EMSGSIZE;
	}
	engine = open_engine(fake->sending, fake->request);
	err = work(fake, engine, args);
	sendcp_engine_close(engine);
	if (!err && fake->spoil)
		fake->spoil(args);
	return err;
}

static int fake_ioctl(const struct module_access *access, int fd, unsigned long request,
		      void *argument)
{
	struct fake_module *fake = (struct fake_module *)access;
	int err;

	assert_int_equal(request, SENDCP_IOC_SEND);
	fake->calls++;
	err = answer(fake, argument);
	errno = err;
	return err ? -1 : 0;
}

void fake_module_init(struct fake_module *fake, const struct sending *sending,
		      const struct sendcp_request *request)
{
	*fake = (struct fake_module){
		.access = { .path = "/dev/fake", .open = fake_open, .ioctl = fake_ioctl },
		.sending = sending,
		.request = request,
		.flags = request->flags & ~SENDCP_SEND_WRITABLE_OK,
	};
}

int fake_sender(struct fake_module *fake, const struct bytes *checkpoint, struct sender **sender,
		struct sendcp_error *error)
{
	struct module_request request = {
		.protocol = fake->request->protocol,
		.flags = fake->flags,
		.subvolume_fd = SUBVOLUME_FD,
		.parent_fd = fake->request->parent ? PARENT_FD : -1,
		.device_fds = calloc(2, sizeof(int)),
		.device_count = 2,
		.clone_fds = calloc(fake->request->clone_count + 1, sizeof(int)),
		.clone_count = fake->request->clone_count,
	};

	assert_non_null(request.device_fds);
	assert_non_null(request.clone_fds);
	request.device_fds[0] = DEVICE_FD;
	request.device_fds[1] = DEVICE_FD + 1;
	for (u32 i = 0; i < request.clone_count; i++)
		request.clone_fds[i] = CLONE_FD + (int)i;
	return sendcp_module_sender_open(&fake->access, &request, checkpoint ? checkpoint->data :
					 NULL, checkpoint ? checkpoint->size : 0, sender, error);
}
