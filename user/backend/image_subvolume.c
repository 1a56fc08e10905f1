// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding subvolumes of an image: by path from the top-level subvolume, by id, by uuid.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sendcp/ondisk.h>
#include <sendcp/subvolume.h>

#include "backend/internal.h"
#include "idtext.h"

static int describe(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out)
{
	struct sendcp_subvolume_info info;
	int ret = sendcp_subvolume_info(source->volume, id, &info);

	if (ret == -ENOENT)
		return sendcp_source_fail(source, ret, "%s: no such subvolume", out->spec);
	if (ret)
		return sendcp_source_fail_volume(source, out->spec);
	out->id = id;
	out->ctransid = info.ctransid;
	out->readonly = info.readonly;
	memcpy(out->uuid, info.uuid, SENDCP_UUID_SIZE);
	memcpy(out->parent_uuid, info.parent_uuid, SENDCP_UUID_SIZE);
	memcpy(out->received_uuid, info.received_uuid, SENDCP_UUID_SIZE);
	return 0;
}

int sendcp_image_open_id(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out)
{
	char text[32];
	int ret;

	if (!out->spec) {
		snprintf(text, sizeof(text), "id:%llu", id);
		ret = sendcp_subvolume_set_spec(source, out, text);
		if (ret)
			return ret;
	}
	return describe(source, id, out);
}

static int find_id(struct sendcp_source *source, const char *digits, struct sendcp_subvolume *out)
{
	u64 id;

	if (!sendcp_parse_u64(digits, &id) || !sendcp_is_subvolume_id(id))
		return sendcp_source_fail(source, -EINVAL, "%s: not a subvolume id", out->spec);
	return sendcp_image_open_id(source, id, out);
}

static int find_uuid(struct sendcp_source *source, const char *text, struct sendcp_subvolume *out)
{
	u8 uuid[SENDCP_UUID_SIZE];
	u64 id;
	int ret;

	if (!sendcp_uuid_from_text(text, uuid))
		return sendcp_source_fail(source, -EINVAL, "%s: not a uuid", out->spec);
	ret = sendcp_find_id_by_uuid(source, uuid, &id);
	if (ret > 0)
		return sendcp_source_fail(source, -ENOENT, "%s: no subvolume has this uuid",
					  out->spec);
	return ret ? ret : sendcp_image_open_id(source, id, out);
}

/*
 * One step of the path: moves @place to what it has under @name. Links are not followed: they are
 * meant for the filesystem as it is mounted, not for the image's top level.
 */
static int enter(struct sendcp_source *source, struct sendcp_dir_entry *place, const char *name,
		 size_t size, const char *spec)
{
	int shown = (int)sendcp_min(size, 300);
	struct sendcp_dir_entry next;
	int ret;

	if (size == 2 && !memcmp(name, "..", 2))
		return sendcp_source_fail(source, -EINVAL, "%s: \"..\" does not work in an image",
					  spec);
	ret = sendcp_dir_entry(source->volume, place->root, place->inode, name, size, &next);
	if (ret == -ENOENT)
		return sendcp_source_fail(source, ret,
					  "%s: there is no \"%.*s\" (paths in an image begin "
					  "at the top-level subvolume)", spec, shown, name);
	if (ret == -EUCLEAN && sendcp_volume_error(source->volume)->reason == SENDCP_ERR_NONE)
		return sendcp_source_fail(source, ret, "%s: \"%.*s\" has no inode", spec, shown,
					  name);
	if (ret)
		return sendcp_source_fail_volume(source, spec);
	if (next.stub)
		return sendcp_source_fail(source, -ENOENT,
					  "%s: \"%.*s\" is an empty directory in place "
					  "of a subvolume that is elsewhere", spec, shown, name);
	if (S_ISLNK(next.mode))
		return sendcp_source_fail(source, -ELOOP,
					  "%s: \"%.*s\" is a symbolic link; in an image "
					  "they are not followed", spec, shown, name);
	if (!S_ISDIR(next.mode))
		return sendcp_source_fail(source, -ENOTDIR, "%s: \"%.*s\" is not a directory", spec,
					  shown, name);
	*place = next;
	return 0;
}

/* As paths go everywhere: repeated slashes and "." do not count. */
static int find_path(struct sendcp_source *source, struct sendcp_subvolume *out)
{
	struct sendcp_dir_entry place = { .root = SENDCP_FS_TREE_ID, .inode = SENDCP_ROOT_DIR_ID };
	const char *at = out->spec;
	int ret = 0;

	while (*at && !ret) {
		size_t size = strcspn(at, "/");

		if (size && !(size == 1 && *at == '.'))
			ret = enter(source, &place, at, size, out->spec);
		at += size;
		at += *at == '/';
	}
	if (ret)
		return ret;
	if (place.inode != SENDCP_ROOT_DIR_ID)
		return sendcp_source_fail(source, -EINVAL, "%s: not a subvolume", out->spec);
	return describe(source, place.root, out);
}

int sendcp_image_find_subvolume(struct sendcp_source *source, const char *spec,
				struct sendcp_subvolume *out)
{
	int ret = sendcp_subvolume_set_spec(source, out, spec);

	if (ret)
		return ret;
	if (!strncmp(spec, "id:", 3))
		return find_id(source, spec + 3, out);
	if (!strncmp(spec, "uuid:", 5))
		return find_uuid(source, spec + 5, out);
	return find_path(source, out);
}
