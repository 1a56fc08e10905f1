/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btrfs filesystems on loop devices, made by a test and destroyed after it. Needs root.
 */
#ifndef TEST_UNIT_LOOPFS_H
#define TEST_UNIT_LOOPFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define LOOPFS_DEVICES 6

struct loopfs {
	char dir[128];
	/* Its mount point while it is mounted. */
	char mount[160];
	char images[LOOPFS_DEVICES][160];
	char loops[LOOPFS_DEVICES][64];
	unsigned int count;
	bool mounted;
};

/* NULL if such filesystems can be made here, else what is missing. */
const char *loopfs_missing(void);
/*
 * Ends a test program whose tests all need them where they cannot be made: prints what is missing
 * and returns true.
 */
bool loopfs_skip(void);

/*
 * Makes @count devices of @megabytes with mkfs.btrfs @options. Not mounted. @fs must be static: a
 * filesystem that a failed test leaves is destroyed when @fs is made again or the program ends.
 */
void loopfs_make(struct loopfs *fs, unsigned int count, unsigned int megabytes,
		 const char *options);
/* Mounts the first device; @options may be "". */
void loopfs_mount(struct loopfs *fs, const char *options);
void loopfs_unmount(struct loopfs *fs);
/* Makes device @index vanish; the image file stays. Not while mounted. */
void loopfs_detach(struct loopfs *fs, unsigned int index);
void loopfs_destroy(struct loopfs *fs);

/*
 * Runs a shell script of printf format @fmt in the mount point if mounted, else in fs->dir. The
 * test fails if the script does.
 */
void loopfs_run(struct loopfs *fs, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Inverts one byte in image @index: the first of the @size bytes @pattern, at any place in the
 * image, plus @distance. Returns the number of places that have the pattern.
 */
unsigned int loopfs_corrupt(struct loopfs *fs, unsigned int index, const void *pattern, size_t size,
			    size_t distance);

#endif
