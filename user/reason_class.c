// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The remedy of a failure: is another try later worth it, and who has to act before?
 *
 * Data that a checksum or a structure proves to be wrong stays wrong, and a caller that tries again
 * for ever would do so in vain. A device may come back, space may be freed.
 */
#include <stdlib.h>

#include "reason_class.h"

#define STAYS(actor) { false, ACT_##actor }
#define PASSES(actor) { true, ACT_##actor }

/* A reason that has no class here does not compile below. */
#define CLASS_NONE STAYS(NOBODY)
#define CLASS_NO_MEMORY PASSES(NOBODY)
#define CLASS_INTERRUPTED PASSES(NOBODY)
#define CLASS_NOT_BTRFS STAYS(USER)
#define CLASS_SUPER_CSUM STAYS(ADMIN)
#define CLASS_SUPER_FIELDS STAYS(ADMIN)
#define CLASS_SUPER_NONE STAYS(ADMIN)
#define CLASS_SUPER_BUSY STAYS(ADMIN)
#define CLASS_CSUM_TYPE STAYS(USER)
#define CLASS_FEATURE STAYS(USER)
#define CLASS_DEVICE_FOREIGN STAYS(USER)
#define CLASS_DEVICE_TWICE STAYS(USER)
#define CLASS_DEVICE_MISSING PASSES(ADMIN)
#define CLASS_DEVICE_READ PASSES(ADMIN)
#define CLASS_DEVICES_CHANGED PASSES(NOBODY)
#define CLASS_CHUNK_FORMAT STAYS(ADMIN)
#define CLASS_CHUNK_UNMAPPED STAYS(ADMIN)
#define CLASS_NODE_CSUM STAYS(ADMIN)
#define CLASS_NODE_FSID STAYS(ADMIN)
#define CLASS_NODE_BYTENR STAYS(ADMIN)
#define CLASS_NODE_GENERATION STAYS(ADMIN)
#define CLASS_NODE_LEVEL STAYS(ADMIN)
#define CLASS_NODE_FIRST_KEY STAYS(ADMIN)
#define CLASS_NODE_ITEMS STAYS(ADMIN)
#define CLASS_ITEM_FORMAT STAYS(ADMIN)
#define CLASS_ITEM_MISSING STAYS(ADMIN)
#define CLASS_TREE_MISSING STAYS(ADMIN)
#define CLASS_DATA_CSUM STAYS(ADMIN)
#define CLASS_DATA_READ PASSES(ADMIN)
#define CLASS_DATA_DECOMPRESS STAYS(ADMIN)
#define CLASS_MOVED_TOO_OFTEN PASSES(NOBODY)
#define CLASS_SUBVOLUME_MISSING STAYS(USER)
#define CLASS_SUBVOLUME_NAMELESS STAYS(USER)
#define CLASS_SUBVOLUME_WRITABLE STAYS(USER)
#define CLASS_SUBVOLUME_CHANGED STAYS(USER)
#define CLASS_SUBVOLUME_REPLACED STAYS(USER)
#define CLASS_SUBVOLUME_GONE STAYS(USER)
#define CLASS_REVALIDATE PASSES(ADMIN)
#define CLASS_FILESYSTEM_OTHER STAYS(USER)
#define CLASS_FILESYSTEM_CHANGED STAYS(USER)
#define CLASS_PROTOCOL STAYS(USER)
#define CLASS_FLAGS STAYS(USER)
#define CLASS_PATH_LENGTH STAYS(USER)
#define CLASS_COMMAND_SIZE STAYS(USER)
#define CLASS_BUFFER_SIZE STAYS(USER)
#define CLASS_INODE_TYPE STAYS(ADMIN)
#define CLASS_SYMLINK_FORMAT STAYS(ADMIN)
#define CLASS_XATTR_SIZE STAYS(USER)
#define CLASS_INCONSISTENT STAYS(ADMIN)
#define CLASS_CHECKPOINT_FORMAT STAYS(USER)
#define CLASS_CHECKPOINT_VERSION STAYS(USER)
#define CLASS_CHECKPOINT_REQUEST STAYS(USER)
#define CLASS_CHECKPOINT_POSITION STAYS(USER)
#define CLASS_CHECKPOINT_SIZE STAYS(USER)
#define CLASS_MODULE STAYS(ADMIN)

static const struct reason_class classes[SENDCP_REASON_COUNT] = {
#define REASON_CLASS(name, err, text) [SENDCP_ERR_##name] = CLASS_##name,
	SENDCP_REASONS(REASON_CLASS)
#undef REASON_CLASS
};

static const char *const names[SENDCP_REASON_COUNT] = {
#define REASON_NAME(name, err, text) [SENDCP_ERR_##name] = #name,
	SENDCP_REASONS(REASON_NAME)
#undef REASON_NAME
};

static const struct {
	int err;
	struct reason_class class;
} errnos[] = {
	/* A reader that exited, a connection that broke. */
	{ EPIPE, PASSES(NOBODY) },
	{ ECONNRESET, PASSES(NOBODY) },
	{ ECONNABORTED, PASSES(NOBODY) },
	{ ENOTCONN, PASSES(NOBODY) },
	{ ETIMEDOUT, PASSES(NOBODY) },
	{ ENETDOWN, PASSES(NOBODY) },
	{ ENETUNREACH, PASSES(NOBODY) },
	{ ENETRESET, PASSES(NOBODY) },
	{ EHOSTDOWN, PASSES(NOBODY) },
	{ EHOSTUNREACH, PASSES(NOBODY) },
	/* Resources that are short now. */
	{ EINTR, PASSES(NOBODY) },
	{ EAGAIN, PASSES(NOBODY) },
	{ EBUSY, PASSES(NOBODY) },
	{ ENOMEM, PASSES(NOBODY) },
	{ ENOBUFS, PASSES(NOBODY) },
	{ ENOSPC, PASSES(USER) },
	{ EDQUOT, PASSES(USER) },
	/* A device, or a server, that is away or fails. */
	{ EIO, PASSES(ADMIN) },
	{ ENXIO, PASSES(ADMIN) },
	{ ENODEV, PASSES(ADMIN) },
	{ ENOLINK, PASSES(ADMIN) },
	{ EREMOTEIO, PASSES(ADMIN) },
	{ ENODATA, PASSES(ADMIN) },
	{ ESTALE, PASSES(ADMIN) },
	/* Limits and settings that somebody has to change. */
	{ EFBIG, PASSES(USER) },
	{ EACCES, STAYS(USER) },
	{ EPERM, STAYS(USER) },
	{ EROFS, STAYS(ADMIN) },
	{ EUCLEAN, STAYS(ADMIN) },
	{ EILSEQ, STAYS(ADMIN) },
};

const char *sendcp_reason_actor_name(enum reason_actor actor)
{
	static const char *const actors[] = {
		[ACT_NOBODY] = "nobody",
		[ACT_USER] = "user",
		[ACT_ADMIN] = "administrator",
	};

	return actors[actor];
}

struct reason_class sendcp_reason_class(enum sendcp_reason reason)
{
	return classes[(unsigned int)reason < SENDCP_REASON_COUNT ? reason : SENDCP_ERR_NONE];
}

const char *sendcp_reason_name(enum sendcp_reason reason)
{
	return (unsigned int)reason < SENDCP_REASON_COUNT ? names[reason] : NULL;
}

int sendcp_reason_class_errno_at(unsigned int index)
{
	return index < ARRAY_SIZE(errnos) ? errnos[index].err : 0;
}

struct reason_class sendcp_reason_class_errno(int err)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(errnos); i++)
		if (errnos[i].err == abs(err))
			return errnos[i].class;
	return (struct reason_class)STAYS(USER);
}

struct reason_class sendcp_reason_class_read(const struct sendcp_error *error)
{
	struct reason_class class = sendcp_reason_class(error->reason);

	if (error->reason == SENDCP_ERR_DATA_READ || error->reason == SENDCP_ERR_DEVICE_READ)
		return sendcp_reason_class_errno(error->err);
	return class;
}
