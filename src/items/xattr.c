// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XATTR_ITEM.
 */
#include "items/dirents.h"

int scp_xattr_find(struct scp_cursor *cursor, u64 ino, const char *name,
		   struct scp_dirent *entry)
{
	const u8 *bytes = (const u8 *)name;
	size_t len = strlen(name);
	struct scp_key key = { .objectid = ino, .type = SCP_XATTR_ITEM };

	if (len > SCP_NAME_MAX)
		return -ENOENT;
	key.offset = scp_name_hash(bytes, len);
	return scp_dirent_find(cursor, &key, bytes, len, entry);
}
