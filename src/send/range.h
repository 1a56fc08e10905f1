/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The range of contents in state.range: written, cloned, or only named, one command a step.
 */
#ifndef SCP_SEND_RANGE_H
#define SCP_SEND_RANGE_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_data_range;

/* A step of SCP_PHASE_RANGE. Queues one command; state.range is advanced by what it covers. */
int scp_step_range(struct scp_engine *engine);
/* Decides the next part of a range that clones: queues a CLONE, or sets write_end. */
int scp_step_clone(struct scp_engine *engine, struct scp_data_range *range);
/* Leaves engine->item_cursor on state.item, wherever its block was moved to. */
int scp_cursor_to_item(struct scp_engine *engine);
/* Says that a range has contents, instead of sending them: SCP_SEND_NO_FILE_DATA. */
int scp_send_update_extent(struct scp_engine *engine, u64 offset, u64 size);

#endif
