// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subvolumes: what the direct and the image backend share, and the searches by UUID and by id.
 */
#include <stdlib.h>
#include <unistd.h>
#include <sendcp/subvolume.h>

#include "backend/internal.h"

void sendcp_subvolume_clear(struct sendcp_subvolume *subvolume)
{
	memset(subvolume, 0, sizeof(*subvolume));
	subvolume->fd = -1;
}

void sendcp_subvolume_release(struct sendcp_subvolume *subvolume)
{
	if (subvolume->fd >= 0)
		close(subvolume->fd);
	free(subvolume->spec);
	sendcp_subvolume_clear(subvolume);
}

int sendcp_subvolume_set_spec(struct sendcp_source *source, struct sendcp_subvolume *subvolume,
			      const char *spec)
{
	subvolume->spec = strdup(spec);
	return subvolume->spec ? 0 : sendcp_source_no_memory(source);
}

/* Releases what an open that failed has put into @out. */
static int opened(struct sendcp_subvolume *out, int ret)
{
	if (ret)
		sendcp_subvolume_release(out);
	return ret;
}

int sendcp_source_find_subvolume(struct sendcp_source *source, const char *spec,
				 struct sendcp_subvolume *out)
{
	sendcp_subvolume_clear(out);
	return opened(out, source->kind->find_subvolume(source, spec, out));
}

int sendcp_find_id_by_uuid(struct sendcp_source *source, const u8 *uuid, u64 *id)
{
	int ret = sendcp_subvolume_find(source->volume, uuid, id);

	if (ret && ret != -ENOENT)
		return sendcp_source_fail_volume(source, "looking for a subvolume by uuid");
	return ret ? 1 : 0;
}

/* 0: @id is a subvolume that is not being deleted; 1: it is not. */
static int check_id(struct sendcp_source *source, u64 id)
{
	struct sendcp_subvolume_info info;
	int ret = sendcp_subvolume_info(source->volume, id, &info);

	if (ret && ret != -ENOENT)
		return sendcp_source_fail_volume(source, "looking for a subvolume by id");
	return ret ? 1 : 0;
}

int sendcp_source_find_id(struct sendcp_source *source, unsigned long long id,
			  struct sendcp_subvolume *out)
{
	int ret;

	sendcp_subvolume_clear(out);
	if (source->host.mounted && sendcp_volume_refresh(source->volume) < 0)
		return sendcp_source_fail_volume(source, "looking for a subvolume by id");
	ret = check_id(source, id);
	return ret ? ret : opened(out, source->kind->open_id(source, id, out));
}

int sendcp_source_find_uuid(struct sendcp_source *source, const unsigned char uuid[16],
			    struct sendcp_subvolume *out)
{
	u64 id;
	int ret;

	sendcp_subvolume_clear(out);
	if (source->host.mounted && sendcp_volume_refresh(source->volume) < 0)
		return sendcp_source_fail_volume(source, "looking for a subvolume by uuid");
	ret = sendcp_find_id_by_uuid(source, uuid, &id);
	return ret ? ret : opened(out, source->kind->open_id(source, id, out));
}
