/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The range of contents in state.range: written, cloned, or only named, one command a step.
 */
#ifndef SENDCP_SEND_RANGE_H
#define SENDCP_SEND_RANGE_H

#include <sendcp/platform.h>
#include <sendcp/stream.h>

struct sendcp_engine;
struct sendcp_data_range;

/* A step of SENDCP_PHASE_RANGE. Queues one command; state.range is advanced by what it covers. */
int sendcp_step_range(struct sendcp_engine *engine);
/* Decides the next part of a range that clones: queues a CLONE, or sets write_end. */
int sendcp_step_clone(struct sendcp_engine *engine, struct sendcp_data_range *range);
/* Leaves engine->item_cursor on state.item, wherever its block was moved to. */
int sendcp_cursor_to_item(struct sendcp_engine *engine);
/* Begins a command about the current inode: its path, and @offset in its contents. */
int sendcp_begin_at(struct sendcp_engine *engine, enum sendcp_command command, u64 offset);
/* Says that a range has contents, instead of sending them: SENDCP_SEND_NO_FILE_DATA. */
int sendcp_send_update_extent(struct sendcp_engine *engine, u64 offset, u64 size);

#endif
