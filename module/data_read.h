/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading file contents through the filesystem, by inode number.
 */
#ifndef SENDCP_MODULE_DATA_READ_H
#define SENDCP_MODULE_DATA_READ_H

#include <linux/path.h>
#include <linux/types.h>

#include <sendcp/host.h>

struct file;

/* Files done with that wait to be closed, at most. */
#define CONTENTS_CLOSING 256

/* The file read last, of one call. */
struct contents {
	/* Any mount of the filesystem; the caller holds it. */
	struct vfsmount *mount;
	struct file *file;
	u64 root;
	u64 inode;
	u64 generation;
	struct file *closing[CONTENTS_CLOSING];
	unsigned int closing_count;
};

/* All of @range to @buffer, from the page cache by one copy; else a negative errno. */
int contents_read(struct contents *contents, const struct scp_file_range *range, void *buffer);

/* After that none of its files is open, and the mount may go. */
void contents_close(struct contents *contents);

#endif
