/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A checkpoint's contents between being read and being taken over by the engine.
 */
#ifndef SENDCP_SEND_CHECKPOINT_DECODED_H
#define SENDCP_SEND_CHECKPOINT_DECODED_H

#include "send/engine_private.h"

/* The contents of a checkpoint, apart from the engine that may take it over. */
struct sendcp_decoded {
	struct sendcp_state state;
	struct sendcp_path path;
	struct sendcp_deferred deferred;
	struct sendcp_queue queue;
	u64 backref_cache[SENDCP_BACKREF_CACHE_LEAVES];
	u32 cache_count;
};

/*
 * checkpoint_plausible.c: adds what is read from the trees about the current inode. -EILSEQ or
 * -ESTALE with the reason if no send can be there, or what reading the trees gives.
 */
int sendcp_decoded_complete(struct sendcp_engine *engine, struct sendcp_decoded *next);

#endif
