/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules for names of files in items; private to items/.
 */
#ifndef SENDCP_ITEMS_NAMES_H
#define SENDCP_ITEMS_NAMES_H

#include "items/items.h"

/*
 * True if @name can be a component of a path. Receivers join components without looking, so that a
 * name like "../x" out of a crafted image must not get into a stream.
 */
bool sendcp_name_is_component(const u8 *name, u16 len);

/* Copies @len <= SENDCP_NAME_MAX bytes. */
void sendcp_name_set(struct sendcp_name *name, u64 dir, const u8 *bytes, u16 len);

#endif
