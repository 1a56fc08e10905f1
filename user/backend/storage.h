/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding where the bytes of a file or block device are kept, by any of its names.
 *
 * Names say little: a file has hard links, a loop device is another name of its file, and a write
 * to a disk is a write to its partitions and to the devices that device-mapper or md made of them.
 */
#ifndef USER_BACKEND_STORAGE_H
#define USER_BACKEND_STORAGE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Disks of a RAID, and what is below them. */
#define STORAGE_MAX 256u

struct storage_id {
	bool block;
	/* Of a block device its number; of a file that of its filesystem. */
	dev_t device;
	/* Of a file. */
	ino_t inode;
};

struct storage {
	/* The thing itself comes first; a loop device is its file. Then all that it is made of. */
	struct storage_id ids[STORAGE_MAX];
	unsigned int count;
};

enum storage_relation {
	STORAGE_APART,
	STORAGE_SAME,
	/* The first is made of the second. */
	STORAGE_LIES_ON,
	/* The second is made of the first. */
	STORAGE_HOLDS,
};

/*
 * Fills @out in for the open file @fd; ->count is 0 if that is neither a regular file nor a block
 * device. Devices that sysfs does not show (it may not be mounted) are missing. 0, or a negative
 * errno; -E2BIG: made of more than STORAGE_MAX things.
 */
int sendcp_storage_of_fd(int fd, struct storage *out);
/* The same for what stat(2) said. */
int sendcp_storage_of_stat(const struct stat *st, struct storage *out);
/* Does writing to one of them change the other? */
enum storage_relation sendcp_storage_relate(const struct storage *first,
					    const struct storage *second);

#endif
