/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding an entry by its name in items that are keyed by a hash of names; private to items/.
 */
#ifndef SENDCP_ITEMS_DIRENTS_H
#define SENDCP_ITEMS_DIRENTS_H

#include "items/items.h"

/* Leaves @cursor on the item @key and fills @entry with that of @name; -ENOENT, no reason set. */
int sendcp_dirent_find(struct sendcp_cursor *cursor, const struct sendcp_key *key, const u8 *name,
		       u16 len, struct sendcp_dirent *entry);

#endif
