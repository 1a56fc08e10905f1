/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extents' bytes as they are stored: read by logical address, each sector's checksum verified.
 */
#ifndef SENDCP_DATA_DATA_H
#define SENDCP_DATA_DATA_H

#include "fs/fs.h"

/*
 * Reads @length bytes stored at @logical into @buffer (any alignment of all three). Every sector
 * that has a checksum in the checksum tree is verified; a bad or unreadable mirror is replaced by
 * the next one, sector by sector, and reported once through the host's warn. -EIO with reason
 * DATA_CSUM or DATA_READ and the first bad sector's address when no mirror is good. Sectors without
 * checksum (nodatasum) are taken as the first readable mirror gives them.
 */
int sendcp_volume_read_data(struct sendcp_volume *volume, u64 logical, u32 length, void *buffer);

#endif
