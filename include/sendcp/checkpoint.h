/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints as blobs: what one says of itself, without any filesystem at hand. <sendcp/engine.h>
 * makes them and re-arms from them; docs/checkpoint.md has their form.
 */
#ifndef SENDCP_CHECKPOINT_H
#define SENDCP_CHECKPOINT_H

#include <sendcp/error.h>
#include <sendcp/platform.h>

/*
 * The largest checkpoint in bytes, the ioctl's SENDCP_CHECKPOINT_MAX. A send that needs more (some
 * four million directories that wait to be removed) fails with SENDCP_ERR_CHECKPOINT_SIZE: one that
 * could not be stored and read back would be worth nothing.
 */
#define SENDCP_CHECKPOINT_SIZE_MAX (64u << 20)

/*
 * The kernel release whose send's decisions are reproduced: 618 is Linux 6.18. A checkpoint made
 * for another one is refused, since the rest of its stream might differ.
 */
#define SENDCP_COMPAT_KERNEL 618u

/* A subvolume that a checkpoint relies on. */
struct sendcp_pin {
	u64 id;
	u8 uuid[16];
	u64 ctransid;
};

struct sendcp_checkpoint_info {
	u32 version;
	u32 protocol;
	/* SENDCP_SEND_* of the request. */
	u32 flags;
	u8 fsid[16];
	/* Stream bytes before the position. */
	u64 offset;
	/* Nothing follows but, unless SENDCP_SEND_OMIT_END, the END command. */
	bool end;
	struct sendcp_pin subvolume;
	/* id 0: full send. */
	struct sendcp_pin parent;
	/* Clone sources, the subvolume itself not counted. */
	u32 clone_count;
};

/*
 * Checks form and checksum of @blob and reads its header. -EILSEQ: it is none, or of another
 * version; @error, if not NULL, is filled then, and @info means nothing.
 */
int sendcp_checkpoint_info(const void *blob, size_t size, struct sendcp_checkpoint_info *info,
			   struct sendcp_error *error);

#endif
