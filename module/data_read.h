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
#define SENDCP_CLOSING_MAX 256

/* The file read last, of one call. */
struct sendcp_data_reader {
	/* Any mount of the filesystem; the caller holds it. */
	struct vfsmount *mount;
	struct file *file;
	u64 root;
	u64 inode;
	u64 generation;
	struct file *closing[SENDCP_CLOSING_MAX];
	unsigned int closing_count;
};

/* All of @range to @buffer, from the page cache by one copy; else a negative errno. */
int sendcp_data_read(struct sendcp_data_reader *reader, const struct sendcp_file_range *range,
		     void *buffer);

/* After that none of its files is open, and the mount may go. */
void sendcp_data_read_close(struct sendcp_data_reader *reader);

#endif
