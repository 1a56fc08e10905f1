/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel module that is not one: it answers SENDCP_IOC_SEND from an engine over an image, as
 * include/uapi/sendcp.h says, and can be made to fail or to return nonsense.
 */
#ifndef TEST_UNIT_FAKEMODULE_H
#define TEST_UNIT_FAKEMODULE_H

#include "backend/module.h"
#include "backend/sender.h"
#include "sending.h"

struct fake_module {
	struct module_access access;
	const struct sending *sending;
	const struct sendcp_request *request;
	/* As sendcp_module_request_make() would have set them. */
	u32 flags;
	unsigned int opens;
	unsigned int calls;
	/* open() fails with this errno. */
	int open_errno;
	/* This many calls fail with fail_errno before others succeed, and leave fail_error. */
	unsigned int failures;
	int fail_errno;
	struct sendcp_failure fail_error;
	/* Checkpoints need at least that capacity, and so much is said of it; NULL: a bit more. */
	u64 room_wanted;
	const u64 *room_told;
	/* No more than that is filled at once; 0: all. */
	size_t fill_limit;
	/* Changes what is answered. */
	void (*spoil)(struct sendcp_send *args);
	/* In place of everything else. */
	int (*instead)(struct fake_module *fake, struct sendcp_send *args);
};

void fake_module_init(struct fake_module *fake, const struct sending *sending,
		      const struct sendcp_request *request);
/*
 * A sender of @fake, resumed after @checkpoint (may be NULL); returns what
 * sendcp_module_sender_open() does.
 */
int fake_sender(struct fake_module *fake, const struct bytes *checkpoint, struct sender **sender,
		struct sendcp_error *error);

#endif
