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

int scp_fail(struct scp_volume *volume, enum scp_reason reason, int err, u64 bytenr, u64 root,
	     u64 inode, u64 offset)
{
	err = fail_with(volume, reason, err);
	volume->error.bytenr = bytenr;
	volume->error.root = root;
	volume->error.inode = inode;
	volume->error.offset = offset;
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
