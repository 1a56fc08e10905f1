/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why the kernel could not read a file.
 */
#ifndef USER_BACKEND_READ_FAILURE_H
#define USER_BACKEND_READ_FAILURE_H

#include <sendcp/error.h>

struct sendcp_source;

/*
 * The kernel says EIO for a device that failed as for contents whose checksums are wrong in all
 * copies. If @error is of that kind, and about the mounted filesystem @source, the extents are read
 * as those of an image are; damage found that way takes the place of what @error said.
 */
void sendcp_read_failure_explain(struct sendcp_source *source, struct sendcp_error *error);

#endif
