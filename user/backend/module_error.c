// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's reports of a failure in the engine's terms: then it reads as from other hosts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/module.h"

static const char *const reason_names[SENDCP_REASON_COUNT] = {
#define REASON_NAME(name, err, text) [SENDCP_ERR_##name] = #name,
	SENDCP_REASONS(REASON_NAME)
#undef REASON_NAME
};

/* Failures of the call itself. All others have their errno's text. */
static const struct {
	int err;
	enum sendcp_reason reason;
	const char *detail;
} call_errors[] = {
	{ ENOMEM, SENDCP_ERR_NO_MEMORY, "" },
	{ EINTR, SENDCP_ERR_INTERRUPTED, "" },
	{ ENOBUFS, SENDCP_ERR_BUFFER_SIZE, "" },
	{ EPROTO, SENDCP_ERR_PROTOCOL, "" },
	{ EPERM, SENDCP_ERR_MODULE, "needs root (CAP_SYS_ADMIN), and a read-only subvolume" },
	{ EACCES, SENDCP_ERR_MODULE, "needs root (CAP_SYS_ADMIN)" },
	{ EFAULT, SENDCP_ERR_MODULE, "it cannot get at the memory given to it" },
	{ EBADF, SENDCP_ERR_MODULE, "a file descriptor given to it is not open for reading" },
	{ ENOTBLK, SENDCP_ERR_MODULE, "a device of the filesystem is not a block device" },
	{ EXDEV, SENDCP_ERR_MODULE, "devices, parent and clone sources are not of one filesystem" },
	{ E2BIG, SENDCP_ERR_MODULE, "too many devices or clone sources, or an older module" },
	{ EINVAL, SENDCP_ERR_MODULE, "it takes an argument for impossible: an older module?" },
	{ ENOTTY, SENDCP_ERR_MODULE, "its device is not sendcp's" },
	{ ENODEV, SENDCP_ERR_MODULE, "it has been unloaded" },
	{ ENXIO, SENDCP_ERR_MODULE, "it has been unloaded" },
	{ ENOENT, SENDCP_ERR_MODULE, "it has been unloaded" },
};

int sendcp_module_error_say(int err, const char *detail, struct sendcp_error *to)
{
	sendcp_error_clear(to);
	to->reason = SENDCP_ERR_MODULE;
	to->err = -err;
	snprintf(to->detail, sizeof(to->detail), "%s", detail);
	return -err;
}

static int translate_errno(int err, struct sendcp_error *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(call_errors); i++) {
		if (call_errors[i].err != err)
			continue;
		sendcp_module_error_say(err, call_errors[i].detail, to);
		to->reason = call_errors[i].reason;
		return -err;
	}
	return sendcp_module_error_say(err, strerror(err), to);
}

/* A module newer than this program may know reasons that it does not: those are shown by name. */
static void translate_reason(const char *name, const char *detail, struct sendcp_error *to)
{
	for (int i = SENDCP_ERR_NONE + 1; i < SENDCP_REASON_COUNT; i++) {
		if (strcmp(reason_names[i], name))
			continue;
		to->reason = (enum sendcp_reason)i;
		snprintf(to->detail, sizeof(to->detail), "%s", detail);
		return;
	}
	to->reason = SENDCP_ERR_MODULE;
	snprintf(to->detail, sizeof(to->detail), "%s: %s%s%s", name, strerror(-to->err),
		 *detail ? ", " : "", detail);
}

/* Both texts are copied first: nothing else makes sure that they end in NUL. */
int sendcp_module_error_take(const struct sendcp_failure *from, int err, struct sendcp_error *to)
{
	char reason[sizeof(from->reason) + 1] = "";
	char detail[sizeof(from->detail) + 1] = "";

	memcpy(reason, from->reason, sizeof(from->reason));
	memcpy(detail, from->detail, sizeof(from->detail));
	if (!*reason)
		return translate_errno(err, to);
	sendcp_error_clear(to);
	to->err = -err;
	to->bytenr = from->bytenr;
	to->root = from->root;
	to->inode = from->inode;
	to->offset = from->offset;
	to->device = from->device;
	translate_reason(reason, detail, to);
	return -err;
}
