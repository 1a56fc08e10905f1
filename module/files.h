/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files a call names by fd: subvolumes, devices, where to write.
 *
 * They are held for the call alone, so that between two calls nothing keeps a filesystem from being
 * unmounted.
 */
#ifndef SENDCP_MODULE_FILES_H
#define SENDCP_MODULE_FILES_H

#include <linux/fs.h>
#include <uapi/sendcp.h>

#include <sendcp/platform.h>

/* A subvolume by the open file of its root directory. */
struct sendcp_subvolume {
	struct file *file;
	/* Id of its tree. */
	u64 root;
};

struct sendcp_files {
	struct sendcp_subvolume subvolume;
	/* ->file NULL: none. */
	struct sendcp_subvolume parent;
	struct sendcp_subvolume *clones;
	u32 clone_count;
	struct file **devices;
	u32 device_count;
};

/*
 * Takes the files that @args names; errors as in <uapi/sendcp.h>. sendcp_files_put() is safe and
 * due in any case.
 */
int sendcp_files_get(const struct sendcp_send *args, struct sendcp_files *files);
void sendcp_files_put(struct sendcp_files *files);

/*
 * Is the filesystem the subvolumes are on the one with this @fsid? A negative errno if it is not
 * known.
 */
int sendcp_files_match_fsid(const struct sendcp_files *files, const u8 *fsid);

#endif
