// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XATTR_ITEM.
 */
#include "items/dirents.h"

int sendcp_xattr_find(struct sendcp_cursor *cursor, u64 ino, const char *name,
		      struct sendcp_dirent *entry)
{
	const u8 *bytes = (const u8 *)name;
	size_t len = strlen(name);
	struct sendcp_key key = { .objectid = ino, .type = SENDCP_XATTR_ITEM };

	if (len > SENDCP_NAME_MAX)
		return -ENOENT;
	key.offset = sendcp_name_hash(bytes, len);
	return sendcp_dirent_find(cursor, &key, bytes, len, entry);
}
