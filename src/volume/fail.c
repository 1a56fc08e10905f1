// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filling volume->error at the place where a failure is found.
 */
#include "volume/internal.h"

static int fail_with(struct sendcp_volume *volume, enum sendcp_reason reason, int err)
{
	sendcp_error_clear(&volume->error);
	volume->error.reason = reason;
	volume->error.err = err ? err : sendcp_reason_errno(reason);
	return volume->error.err;
}

static void put_place(u64 *to, u64 place)
{
	if (place)
		*to = place;
}

int sendcp_fail(struct sendcp_volume *volume, enum sendcp_reason reason, int err,
		const struct sendcp_place *place)
{
	struct sendcp_error *error = &volume->error;

	err = fail_with(volume, reason, err);
	put_place(&error->bytenr, place->bytenr);
	put_place(&error->root, place->root);
	put_place(&error->inode, place->inode);
	if (place->inode)
		error->offset = place->offset;
	return err;
}

int sendcp_fail_detail(struct sendcp_volume *volume, enum sendcp_reason reason, const char *detail)
{
	int err = fail_with(volume, reason, 0);

	if (detail)
		snprintf(volume->error.detail, sizeof(volume->error.detail), "%s", detail);
	return err;
}

int sendcp_fail_device(struct sendcp_volume *volume, enum sendcp_reason reason, int err, u64 device,
		       u64 bytenr)
{
	err = fail_with(volume, reason, err);
	volume->error.device = device;
	volume->error.bytenr = bytenr;
	return err;
}

void sendcp_volume_warn(struct sendcp_volume *volume)
{
	if (volume->host->ops->warn)
		volume->host->ops->warn(volume->host->private, &volume->error);
}
