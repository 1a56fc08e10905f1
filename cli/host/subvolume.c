// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subvolumes: the parts common to both kinds of source, and the search by uuid.
 */
#include <stdlib.h>
#include <unistd.h>

#include "host/source.h"
#include "fs/fs.h"
#include "util/message.h"

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

int subvolume_set_spec(struct subvolume *subvolume, const char *spec)
{
	subvolume->spec = strdup(spec);
	return subvolume->spec ? 0 : source_out_of_memory();
}

int subvolume_error(const struct source *source, const char *spec)
{
	return error_engine(spec, &source->volume->error);
}

int source_find_subvolume(struct source *source, const char *spec, struct subvolume *out)
{
	subvolume_clear(out);
	if (!source->kind->find_subvolume(source, spec, out))
		return 0;
	subvolume_release(out);
	return -1;
}

static bool is_subvolume_id(u64 id)
{
	return id == SCP_FS_TREE_ID || (id >= SCP_FIRST_FREE_ID && id <= SCP_LAST_FREE_ID);
}

/*
 * Moves *@key, the position of the search, to the next subvolume's ROOT_ITEM. 1: there is one, 0:
 * no more, or a negative errno.
 */
static int next_root(struct scp_tree *roots, struct scp_key *key)
{
	struct scp_cursor cursor;
	int ret;

	scp_cursor_init(&cursor, roots);
	ret = scp_search(&cursor, key);
	while (ret >= 0) {
		*key = scp_cursor_key(&cursor);
		if (key->objectid > SCP_LAST_FREE_ID) {
			ret = -ENOENT;
			break;
		}
		if (key->type == SCP_ROOT_ITEM && is_subvolume_id(key->objectid)) {
			ret = 1;
			break;
		}
		ret = scp_next(&cursor);
	}
	scp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

/* 1: @id has that uuid and is not being deleted; 0: not; negative errno. */
static int has_uuid(struct scp_volume *volume, u64 id, const u8 *uuid)
{
	struct scp_root_info info;
	int ret;

	ret = scp_root_info_get(volume, id, &info);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return info.refs && !(info.flags & SCP_ROOT_DEAD) &&
	       !memcmp(info.uuid, uuid, SCP_UUID_SIZE);
}

/*
 * Scans the ROOT_ITEMs instead of asking the UUID tree, which is optional and may be out of
 * date. On a live volume each step is a search of its own, so trees may move between them.
 */
static int search_uuid(struct scp_volume *volume, const u8 *uuid, u64 *id)
{
	struct scp_key key = { .objectid = SCP_FS_TREE_ID, .type = SCP_ROOT_ITEM };
	struct scp_tree roots;
	int ret;

	ret = scp_tree_open(volume, SCP_ROOT_TREE_ID, false, &roots);
	if (ret)
		return ret;
	while ((ret = next_root(&roots, &key)) > 0) {
		*id = key.objectid;
		ret = has_uuid(volume, key.objectid, uuid);
		if (ret)
			return ret;
		key.objectid++;
		key.type = SCP_ROOT_ITEM;
		key.offset = 0;
	}
	return ret;
}

int find_id_by_uuid(struct source *source, const u8 *uuid, u64 *id)
{
	static const u8 none[SCP_UUID_SIZE];
	int ret;

	/* Very old subvolumes have no uuid; those must not all be taken for each other. */
	if (!memcmp(uuid, none, sizeof(none)))
		return 1;
	ret = search_uuid(source->volume, uuid, id);
	if (ret < 0)
		return subvolume_error(source, "looking for a subvolume by uuid");
	return ret ? 0 : 1;
}

/* 1: the id is that of a subvolume that is not being deleted; 0: not; -1 after an error line. */
static int is_there(struct source *source, u64 id)
{
	struct scp_root_info info;
	int ret = is_subvolume_id(id) ? scp_root_info_get(source->volume, id, &info) : -ENOENT;

	if (!ret)
		return info.refs && !(info.flags & SCP_ROOT_DEAD);
	return ret == -ENOENT ? 0 : subvolume_error(source, "looking for a subvolume by id");
}

int source_find_id(struct source *source, unsigned long long id, struct subvolume *out)
{
	int ret;

	subvolume_clear(out);
	if (source->host.live && scp_volume_refresh(source->volume) < 0)
		return subvolume_error(source, "looking for a subvolume by id");
	ret = is_there(source, id);
	if (ret <= 0)
		return ret ? -1 : 1;
	if (!source->kind->open_id(source, id, out))
		return 0;
	subvolume_release(out);
	return -1;
}

int source_find_uuid(struct source *source, const unsigned char uuid[16], struct subvolume *out)
{
	u64 id;
	int ret;

	subvolume_clear(out);
	if (source->host.live && scp_volume_refresh(source->volume) < 0)
		return subvolume_error(source, "looking for a subvolume by uuid");
	ret = find_id_by_uuid(source, uuid, &id);
	if (ret)
		return ret;
	if (!source->kind->open_id(source, id, out))
		return 0;
	subvolume_release(out);
	return -1;
}
