/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A checkpoint's contents between being read and being taken over by the engine.
 */
#ifndef SCP_SEND_CHECKPOINT_DECODED_H
#define SCP_SEND_CHECKPOINT_DECODED_H

#include "send/engine_private.h"

/* The contents of a checkpoint, apart from the engine that may take it over. */
struct scp_decoded {
	struct scp_state state;
	struct scp_path path;
	struct scp_deferred deferred;
	struct scp_queue queue;
	u64 backref_cache[SCP_BACKREF_CACHE_LEAVES];
	u32 cache_count;
};

/*
 * checkpoint_plausible.c: adds what is read from the trees about the current inode. -EILSEQ or
 * -ESTALE with the reason if no send can be there, or what reading the trees gives.
 */
int scp_decoded_complete(struct scp_engine *engine, struct scp_decoded *next);

#endif
