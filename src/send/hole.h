/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holes of the current inode where the parent has data.
 */
#ifndef SENDCP_SEND_HOLE_H
#define SENDCP_SEND_HOLE_H

#include "send/state.h"

struct sendcp_engine;

/* A step of SENDCP_PHASE_HOLE: the hole before the EXTENT_DATA state.item. */
int sendcp_step_hole(struct sendcp_engine *engine);
/* Begins a range for what is between the last extent and @end, if the parent has data there. */
int sendcp_start_hole(struct sendcp_engine *engine, u64 end, enum sendcp_phase then);
/* End of the last extent of the current inode at or before @offset; 0 if there is none. */
int sendcp_extent_end_before(struct sendcp_engine *engine, u64 offset, u64 *end);

#endif
