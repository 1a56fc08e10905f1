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
 * four million directories that wait to be removed) fails with SCP_CHECKPOINT_SIZE: one that could
 * not be stored and read back would be worth nothing.
 */
#define SCP_CHECKPOINT_MAX (64u << 20)

/*
 * The kernel release whose send's decisions are reproduced: 618 is Linux 6.18. A checkpoint made
 * for another one is refused, since the rest of its stream might differ.
 */
#define SCP_COMPAT_KERNEL 618u

/* A subvolume that a checkpoint relies on. */
struct scp_pin {
	u64 id;
	u8 uuid[16];
	u64 ctransid;
};

struct scp_checkpoint_info {
	u32 version;
	u32 protocol;
	/* SCP_SEND_* of the request. */
	u32 flags;
	u8 fsid[16];
	/* Stream bytes before the position. */
	u64 offset;
	/* Nothing follows but, unless SCP_SEND_OMIT_END, the END command. */
	bool end;
	struct scp_pin subvolume;
	/* id 0: full send. */
	struct scp_pin parent;
	/* Clone sources, the subvolume itself not counted. */
	u32 clone_count;
};

/* Checks form and checksum of @blob and reads its header. -EILSEQ with @error otherwise. */
int scp_checkpoint_info(const void *blob, size_t size, struct scp_checkpoint_info *info,
			struct scp_error *error);

#endif
