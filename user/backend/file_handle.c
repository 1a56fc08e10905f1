// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening inodes of a mounted btrfs by number, without any path.
 *
 * The handle is the one the kernel hands out to NFS servers; it also reaches subvolumes that no
 * mount point shows.
 */
#include <fcntl.h>
#include <unistd.h>

#include "backend/internal.h"

#define HANDLE_TYPE 0x4d

struct inode_handle {
	struct file_handle header;
	struct {
		u64 inode;
		u64 root;
		u32 generation;
	} __packed fid;
};

_Static_assert(sizeof(((struct inode_handle *)NULL)->fid) == 20, "file handle layout");
_Static_assert(offsetof(struct inode_handle, fid) == sizeof(struct file_handle),
	       "the handle's bytes follow its header");

int sendcp_open_by_handle(int mount_fd, u64 root, u64 inode, u64 generation, int flags)
{
	struct inode_handle handle = {
		.header = {
			.handle_bytes = sizeof(handle.fid),
			.handle_type = HANDLE_TYPE,
		},
		.fid = {
			.inode = inode,
			.root = root,
			.generation = (u32)generation,
		},
	};
	int fd;

	do {
		fd = open_by_handle_at(mount_fd, &handle.header, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}
