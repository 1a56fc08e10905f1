// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subvolumes: what the direct and the image backend share, and the searches by UUID and by id.
 */
#include <stdlib.h>
#include <unistd.h>
#include <sendcp/subvolume.h>

#include "backend/internal.h"

void subvolume_clear(struct subvolume *subvolume)
{
	memset(subvolume, 0, sizeof(*subvolume));
	subvolume->fd = -1;
}

void subvolume_release(struct subvolume *subvolume)
{
	if (subvolume->fd >= 0)
		close(subvolume->fd);
	free(subvolume->spec);
	subvolume_clear(subvolume);
}

int subvolume_set_spec(struct source *source, struct subvolume *subvolume, const char *spec)
{
	subvolume->spec = strdup(spec);
	return subvolume->spec ? 0 : source_no_memory(source);
}

/* Releases what an open that failed has put into @out. */
static int opened(struct subvolume *out, int ret)
{
	if (ret)
		subvolume_release(out);
	return ret;
}

int source_find_subvolume(struct source *source, const char *spec, struct subvolume *out)
{
	subvolume_clear(out);
	return opened(out, source->kind->find_subvolume(source, spec, out));
}

int find_id_by_uuid(struct source *source, const u8 *uuid, u64 *id)
{
	int ret = scp_subvolume_find(source->volume, uuid, id);

	if (ret && ret != -ENOENT)
		return source_fail_volume(source, "looking for a subvolume by uuid");
	return ret ? 1 : 0;
}

/* 0: @id is a subvolume that is not being deleted; 1: it is not. */
static int check_id(struct source *source, u64 id)
{
	struct scp_subvolume_info info;
	int ret = scp_subvolume_info(source->volume, id, &info);

	if (ret && ret != -ENOENT)
		return source_fail_volume(source, "looking for a subvolume by id");
	return ret ? 1 : 0;
}

int source_find_id(struct source *source, unsigned long long id, struct subvolume *out)
{
	int ret;

	subvolume_clear(out);
	if (source->host.mounted && scp_volume_refresh(source->volume) < 0)
		return source_fail_volume(source, "looking for a subvolume by id");
	ret = check_id(source, id);
	return ret ? ret : opened(out, source->kind->open_id(source, id, out));
}

int source_find_uuid(struct source *source, const unsigned char uuid[16], struct subvolume *out)
{
	u64 id;
	int ret;

	subvolume_clear(out);
	if (source->host.mounted && scp_volume_refresh(source->volume) < 0)
		return source_fail_volume(source, "looking for a subvolume by uuid");
	ret = find_id_by_uuid(source, uuid, &id);
	return ret ? ret : opened(out, source->kind->open_id(source, id, out));
}
