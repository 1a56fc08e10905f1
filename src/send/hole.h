/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holes of the current inode where the parent has data.
 */
#ifndef SCP_SEND_HOLE_H
#define SCP_SEND_HOLE_H

#include "send/state.h"

struct scp_engine;

/* A step of SCP_PHASE_HOLE: the hole before the EXTENT_DATA state.item. */
int scp_step_hole(struct scp_engine *engine);
/* Begins a range for what is between the last extent and @end, if the parent has data there. */
int scp_start_hole(struct scp_engine *engine, u64 end, enum scp_phase then);
/* End of the last extent of the current inode at or before @offset; 0 if there is none. */
int scp_extent_end_before(struct scp_engine *engine, u64 offset, u64 *end);

#endif
