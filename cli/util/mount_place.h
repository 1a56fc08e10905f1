/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystem that a path is on: so that a run can see that a disk is not mounted any more.
 */
#ifndef CLI_UTIL_MOUNT_PLACE_H
#define CLI_UTIL_MOUNT_PLACE_H

#include <stdbool.h>
#include <sendcp/platform.h>

struct mount_place {
	/* Its mount point, malloc'ed; NULL: not known. */
	char *point;
	/* The filesystem's UUID, as its device says, malloc'ed; NULL: it has none, or not known. */
	char *uuid;
};

/* Of the nearest directory above @path that is there. Not known is no failure. */
void mount_place_find(const char *path, struct mount_place *place);
void mount_place_clear(struct mount_place *place);

/*
 * Is the path still on the same filesystem? Members that one of them does not have are no
 * difference.
 */
bool mount_place_same(const struct mount_place *then, const struct mount_place *now);

#endif
