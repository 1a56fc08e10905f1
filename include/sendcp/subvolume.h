/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subvolumes of a volume as they are on its devices, and names in them: for hosts that find what a
 * user named.
 *
 * Of a mounted filesystem the newest commit that sendcp_volume_refresh() or a search found counts.
 * Errors are negative errnos with sendcp_volume_error(); -ENOENT is no failure of the volume.
 */
#ifndef SENDCP_SUBVOLUME_H
#define SENDCP_SUBVOLUME_H

#include <sendcp/platform.h>
#include <sendcp/volume.h>

/* From the ROOT_ITEM, in host byte order. */
struct sendcp_subvolume_info {
	u64 id;
	/* Of the last change in it, and of its creation. */
	u64 ctransid;
	u64 otransid;
	bool readonly;
	/* All zeros: a subvolume made before Linux 3.6; not a snapshot; not received. */
	u8 uuid[16];
	u8 parent_uuid[16];
	u8 received_uuid[16];
};

/* -ENOENT: @id is no subvolume, or one that is deleted and only waits to be cleaned up. */
int sendcp_subvolume_info(struct sendcp_volume *volume, u64 id, struct sendcp_subvolume_info *info);

/*
 * The id of the subvolume with @uuid. -ENOENT: there is none; always so for the uuid of zeros,
 * which very old subvolumes share. Reads all ROOT_ITEMs: the UUID tree is optional and may be out
 * of date.
 */
int sendcp_subvolume_find(struct sendcp_volume *volume, const u8 *uuid, u64 *id);

/*
 * The generation of the subvolume's root directory, a part of its file handle. -ENOENT: there is no
 * tree @id.
 */
int sendcp_subvolume_root_generation(struct sendcp_volume *volume, u64 id, u64 *generation);

/* The object under a name in a directory. */
struct sendcp_dir_entry {
	/* The subvolume it is in, or which it is. */
	u64 root;
	/* Inode number; of a subvolume that of its root directory, 256. */
	u64 inode;
	/* As st_mode. */
	u32 mode;
	/*
	 * A subvolume that @name once was, and that is elsewhere: a snapshot keeps the names of the
	 * subvolumes nested in its origin, and shows empty directories under them.
	 */
	bool stub;
};

/*
 * Looks @name, @length bytes of it, up in directory @inode of subvolume @root. -ENOENT: there is
 * none. -EUCLEAN without a reason: the name is there, and its inode is not.
 */
int sendcp_dir_entry(struct sendcp_volume *volume, u64 root, u64 inode, const char *name,
		     size_t length, struct sendcp_dir_entry *entry);

#endif
