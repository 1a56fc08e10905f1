// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filling volume->error at the place where a failure is found.
 */
#include "volume/internal.h"

static int fail_with(struct scp_volume *volume, enum scp_reason reason, int err)
{
	scp_error_clear(&volume->error);
	volume->error.reason = reason;
	volume->error.err = err ? err : scp_reason_errno(reason);
	return volume->error.err;
}

static void put_place(u64 *to, u64 place)
{
	if (place)
		*to = place;
}

int scp_fail(struct scp_volume *volume, enum scp_reason reason, int err,
	     const struct scp_place *place)
{
	struct scp_error *error = &volume->error;

	err = fail_with(volume, reason, err);
	put_place(&error->bytenr, place->bytenr);
	put_place(&error->root, place->root);
	put_place(&error->inode, place->inode);
	if (place->inode)
		error->offset = place->offset;
	return err;
}

int scp_fail_detail(struct scp_volume *volume, enum scp_reason reason, const char *detail)
{
	int err = fail_with(volume, reason, 0);

	if (detail)
		snprintf(volume->error.detail, sizeof(volume->error.detail), "%s", detail);
	return err;
}

int scp_fail_device(struct scp_volume *volume, enum scp_reason reason, int err, u64 device,
		    u64 bytenr)
{
	err = fail_with(volume, reason, err);
	volume->error.device = device;
	volume->error.bytenr = bytenr;
	return err;
}

void scp_volume_warn(struct scp_volume *volume)
{
	if (volume->host->ops->warn)
		volume->host->ops->warn(volume->host->private, &volume->error);
}
