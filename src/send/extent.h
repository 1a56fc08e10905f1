/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision on an EXTENT_DATA item: nothing, a hole, a clone, or a write.
 *
 * These decide on a range and put it into state.range; range.h has the steps that send it.
 */
#ifndef SENDCP_SEND_EXTENT_H
#define SENDCP_SEND_EXTENT_H

#include "send/state.h"

struct sendcp_engine;
struct sendcp_extent;

/* The change is an EXTENT_DATA of the current inode: decides, and sets the phase that does it. */
int sendcp_handle_extent(struct sendcp_engine *engine);
/* The extent at state.item, of an inode all of whose contents are new; @then comes after it. */
int sendcp_send_extent(struct sendcp_engine *engine, enum sendcp_phase then);
/*
 * Writes the part of @extent, at state.item, from file offset @from on. Never cloned: looking for a
 * source would change which one is found for later extents, and so make them differ from the
 * kernel's.
 */
void sendcp_write_extent_end(struct sendcp_engine *engine, const struct sendcp_extent *extent,
			     u64 from, enum sendcp_phase then);
/* The contents of an inode created by this send are zeros where nothing is written. */
bool sendcp_extent_is_implied(const struct sendcp_extent *extent);
/* 1: the parent has the same extent there, so that the receiver has its contents already. */
int sendcp_is_unchanged(struct sendcp_engine *engine, const struct sendcp_extent *extent);

#endif
