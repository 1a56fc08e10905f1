// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Further devices of an unmounted filesystem, found through libblkid, so that naming one is enough.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/internal.h"

/* Is block device @fd on the list already, perhaps by another name? */
static bool is_listed(const struct device_list *list, int fd)
{
	struct stat device;
	struct stat listed;
	u32 i;

	if (fstat(fd, &device))
		return true;
	for (i = 0; i < list->count; i++) {
		if (!fstat(list->devices[i].fd, &listed) && S_ISBLK(listed.st_mode) &&
		    listed.st_rdev == device.st_rdev)
			return true;
	}
	return false;
}

/* One that is not there is left out: the volume will say if it is needed. */
static int add_member(struct sendcp_source *source, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && !sendcp_device_is_missing(errno))
		return sendcp_source_fail_errno(source, "cannot open %s, a device of the same "
						"filesystem", path);
	if (fd < 0) {
		sendcp_source_warn(source, "cannot open %s, a device of the same filesystem: %s",
				   path, strerror(errno));
		return 0;
	}
	if (is_listed(&source->devices, fd)) {
		close(fd);
		return 0;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return sendcp_device_list_add(&source->devices, path, fd) ?
		sendcp_source_no_memory(source) : 0;
}

static int add_with_uuid(struct sendcp_source *source, blkid_cache cache, const char *uuid)
{
	blkid_dev_iterate iterate = blkid_dev_iterate_begin(cache);
	blkid_dev device;
	int ret = 0;

	blkid_dev_set_search(iterate, "UUID", uuid);
	while (!ret && !blkid_dev_next(iterate, &device)) {
		device = blkid_verify(cache, device);
		if (device)
			ret = add_member(source, blkid_dev_devname(device));
	}
	blkid_dev_iterate_end(iterate);
	return ret;
}

int sendcp_add_other_members(struct sendcp_source *source, const char *path)
{
	blkid_cache cache;
	char *uuid;
	int ret = 0;

	/* A cache that is nobody's file: only the devices that are there now count. */
	if (blkid_get_cache(&cache, "/dev/null"))
		return 0;
	uuid = blkid_get_tag_value(cache, "UUID", path);
	if (uuid && !blkid_probe_all(cache))
		ret = add_with_uuid(source, cache, uuid);
	free(uuid);
	blkid_put_cache(cache);
	return ret;
}
