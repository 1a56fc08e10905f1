/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's needs of its caller: bytes of devices, bytes of files, and whether to stop.
 *
 * A host is a table of functions and a pointer of its own that comes back as first argument. All
 * functions may sleep; the engine calls them from the thread that called the engine, never two at
 * once for one volume.
 */
#ifndef SENDCP_HOST_H
#define SENDCP_HOST_H

#include <sendcp/error.h>
#include <sendcp/platform.h>

/* One read of device bytes. */
struct sendcp_io {
	/* Index into the host's devices, 0 .. device_count - 1. */
	u32 device;
	/* Bytes; offset and length are multiples of 4096. */
	u32 length;
	u64 offset;
	/* The bytes go here; from sendcp_alloc_aligned. */
	void *buffer;
	/* Set by the host: 0, or negative errno. After the device's end: -EIO or -ERANGE. */
	int result;
};

/* A subvolume as the mounted filesystem has it at this moment, committed or not. */
struct sendcp_mounted_subvolume {
	/* BTRFS_ROOT_SUBVOL_RDONLY (0x1) is what matters. */
	u64 flags;
	u64 ctransid;
	u64 otransid;
	u8 uuid[16];
};

/* A range of an inode's contents. */
struct sendcp_file_range {
	/* The subvolume's id. */
	u64 root;
	u64 inode;
	/* Generation field of the INODE_ITEM, all 64 bits. */
	u64 generation;
	/* Bytes. The range never crosses the inode's size; never longer than SENDCP_CHUNK_V2. */
	u64 offset;
	u32 length;
};

struct sendcp_host_ops {
	/*
	 * Does all of @count reads, in any order, at once where the world can, and sets each one's
	 * result. Returns 0 if results are set, -EINTR if it was interrupted.
	 */
	int (*read)(void *host, struct sendcp_io *ios, unsigned int count);
	/*
	 * Puts what reading the file gives (holes and preallocated ranges as zeros, compressed data
	 * decompressed) into @buffer: all of @range, or a negative errno. Fills @error on failure.
	 * -ESTALE: there is no such inode (any more); the engine finds out why.
	 */
	int (*read_file)(void *host, const struct sendcp_file_range *range, void *buffer,
			 struct sendcp_error *error);
	/*
	 * Expands @in, an extent's stored bytes, into exactly @out_size bytes of @out: what the
	 * data does not give is zero, what it gives beyond is ignored. @compression is the
	 * extent's, SENDCP_COMPRESS_ZLIB, _LZO or _ZSTD. -EIO: corrupt; -ENOMEM. Called by
	 * sendcp_file_read() alone: NULL in a host that does not use it.
	 */
	int (*decompress)(void *host, u8 compression, u32 sectorsize, const void *in, u32 in_size,
			  void *out, u32 out_size);
	/* -EINTR when the caller wants the engine to stop at the next command, else 0. */
	int (*interrupted)(void *host);
	/*
	 * Something was wrong and was survived: another copy was read, or a device is left out
	 * because it has no valid superblock. May be NULL.
	 */
	void (*warn)(void *host, const struct sendcp_error *what);
	/*
	 * Of a mounted filesystem. Writes dirty pages out and commits the filesystem: what was
	 * changed before is on the devices when this returns. 0 or a negative errno; a filesystem
	 * that cannot be written to is no failure. NULL only where nothing can change without being
	 * on the devices.
	 */
	int (*commit)(void *host);
	/*
	 * Of a mounted filesystem, may be NULL: asks the filesystem for subvolume @root, whose root
	 * directory has @generation. 0; -ESTALE: it was deleted; other negative errnos: it cannot
	 * be asked. Must be cheap, for it is called after every fill.
	 */
	int (*look)(void *host, u64 root, u64 generation, struct sendcp_mounted_subvolume *now);
};

struct sendcp_host {
	const struct sendcp_host_ops *ops;
	/* First argument of every function. */
	void *private;
	u32 device_count;
	/* The filesystem is mounted: blocks may move between two reads, and looking again helps. */
	bool mounted;
	/* Largest size of the node cache in bytes; 0: SENDCP_CACHE_DEFAULT. */
	size_t cache_size;
};

#define SENDCP_CACHE_DEFAULT (4u << 20)

#endif
