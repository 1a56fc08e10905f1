/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which filesystem a path lies on: so that a run can tell that a disk is not mounted any more.
 */
#ifndef CLI_UTIL_MOUNT_PLACE_H
#define CLI_UTIL_MOUNT_PLACE_H

#include <stdbool.h>
#include <sendcp/platform.h>

struct mount_place {
	/* Where the filesystem is mounted, malloc'ed; NULL: not known. */
	char *point;
	/* The filesystem's UUID, as its device says, malloc'ed; NULL: it has none, or not known. */
	char *uuid;
};

/* Of the nearest directory above @path that is there. Not known is no failure. */
void mount_place_find(const char *path, struct mount_place *place);
void mount_place_clear(struct mount_place *place);

/*
 * Is what @then says of a path still so @now? What one of them does not know is no difference.
 */
bool mount_place_same(const struct mount_place *then, const struct mount_place *now);

#endif
