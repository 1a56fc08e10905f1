/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints: the engine's state and queue as one blob, and back.
 */
#ifndef SENDCP_SEND_CHECKPOINT_CODEC_H
#define SENDCP_SEND_CHECKPOINT_CODEC_H

#include <sendcp/platform.h>

struct sendcp_engine;

/*
 * A new blob in *@blob, the caller's to sendcp_free(). Changes nothing that shows: commands of a
 * long step may be made again, see replay.h. -ENOMEM or what reading the trees gives.
 */
int sendcp_checkpoint_encode(struct sendcp_engine *engine, u8 **blob, size_t *size);
/*
 * Replaces state, queue and the backref cache by those of @blob, which may be forged: impossible
 * values are refused. The engine must be of the same request. If it fails, nothing changed.
 */
int sendcp_checkpoint_decode(struct sendcp_engine *engine, const u8 *blob, size_t size);

#endif
