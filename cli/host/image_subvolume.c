// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding subvolumes of an image: by path from the top-level subvolume, by id, by uuid.
 */
#include <stdlib.h>

#include "host/source.h"
#include "items/items.h"
#include "util/message.h"

/* A directory on the way. */
struct place {
	struct scp_tree tree;
	u64 dir;
};

/* A subvolume whose last reference was removed is only waiting to be cleaned up. */
static int fill_from_root(struct source *source, u64 id, struct subvolume *out)
{
	struct scp_root_info info;
	int ret;

	ret = scp_root_info_get(source->volume, id, &info);
	if (ret == -ENOENT || (!ret && (!info.refs || info.flags & SCP_ROOT_DEAD)))
		return error_line("%s: no such subvolume", out->spec);
	if (ret)
		return subvolume_error(source, out->spec);
	out->id = id;
	out->ctransid = info.ctransid;
	out->readonly = info.flags & SCP_ROOT_READONLY;
	memcpy(out->uuid, info.uuid, SCP_UUID_SIZE);
	memcpy(out->parent_uuid, info.parent_uuid, SCP_UUID_SIZE);
	memcpy(out->received_uuid, info.received_uuid, SCP_UUID_SIZE);
	return 0;
}

int image_open_id(struct source *source, u64 id, struct subvolume *out)
{
	char text[32];

	if (!out->spec) {
		snprintf(text, sizeof(text), "id:%llu", id);
		if (subvolume_set_spec(out, text))
			return -1;
	}
	return fill_from_root(source, id, out);
}

/* Nothing but digits: strtoull() takes more, but nobody would mean an id by that. */
static int find_id(struct source *source, const char *digits, struct subvolume *out)
{
	char *end;
	u64 id;

	errno = 0;
	id = strtoull(digits, &end, 10);
	if (errno || *end || end == digits || *digits < '0' || *digits > '9' ||
	    (id != SCP_FS_TREE_ID && (id < SCP_FIRST_FREE_ID || id > SCP_LAST_FREE_ID)))
		return error_line("%s: not a subvolume id", out->spec);
	return image_open_id(source, id, out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Thirty-two hexadecimal digits; dashes only where a uuid has them. */
static bool parse_uuid(const char *text, u8 *uuid)
{
	int i;

	for (i = 0; i < (int)SCP_UUID_SIZE; i++) {
		int high;
		int low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text == '-')
			text++;
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		uuid[i] = (u8)(high << 4 | low);
		text += 2;
	}
	return !*text;
}

static int find_uuid(struct source *source, const char *text, struct subvolume *out)
{
	u8 uuid[SCP_UUID_SIZE];
	u64 id;
	int ret;

	if (!parse_uuid(text, uuid))
		return error_line("%s: not a uuid", out->spec);
	ret = find_id_by_uuid(source, uuid, &id);
	if (ret > 0)
		return error_line("%s: no subvolume has this uuid", out->spec);
	return ret ? -1 : image_open_id(source, id, out);
}

/*
 * A snapshot keeps the names of subvolumes nested in its origin, but not the subvolumes. 1: @id
 * really is in @place under that name; 0: not.
 */
static int is_child(struct scp_volume *volume, const struct place *place, const char *name,
		    u16 len, u64 id)
{
	struct scp_name stored;
	u64 parent;
	int ret;

	ret = scp_root_name(volume, id, &stored, &parent);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return parent == place->tree.id && stored.dir == place->dir && stored.len == len &&
	       !memcmp(stored.bytes, name, len);
}

static int enter_subvolume(struct source *source, struct place *place, const char *name, u16 len,
			   u64 id, const char *spec)
{
	int ret;

	ret = is_child(source->volume, place, name, len, id);
	if (!ret)
		return error_line("%s: \"%.*s\" is an empty directory in place of a subvolume "
				  "that is elsewhere", spec, len, name);
	if (ret < 0 || scp_tree_open(source->volume, id, false, &place->tree))
		return subvolume_error(source, spec);
	place->dir = SCP_ROOT_DIR_ID;
	return 0;
}

/*
 * Links are not followed: they are meant for the filesystem as it is mounted, not for the image's
 * top level.
 */
static int enter_directory(struct source *source, struct place *place, const char *name, u16 len,
			   u64 ino, const char *spec)
{
	struct scp_inode inode;
	int ret;

	ret = scp_inode_get(&place->tree, ino, &inode);
	if (ret == -ENOENT)
		return error_line("%s: \"%.*s\" has no inode", spec, len, name);
	if (ret)
		return subvolume_error(source, spec);
	if (S_ISLNK(inode.mode))
		return error_line("%s: \"%.*s\" is a symbolic link; in an image they are not "
				  "followed", spec, len, name);
	if (!S_ISDIR(inode.mode))
		return error_line("%s: \"%.*s\" is not a directory", spec, len, name);
	place->dir = ino;
	return 0;
}

/* One step of the path. */
static int enter(struct source *source, struct place *place, const char *name, size_t size,
		 const char *spec)
{
	struct scp_key location;
	u16 len = (u16)size;
	int ret = -ENOENT;

	if (size == 2 && !memcmp(name, "..", 2))
		return error_line("%s: \"..\" does not work in an image", spec);
	if (size <= SCP_NAME_MAX)
		ret = scp_dir_lookup(&place->tree, place->dir, (const u8 *)name, len, &location);
	if (ret == -ENOENT)
		return error_line("%s: there is no \"%.*s\" (paths in an image begin at the "
				  "top-level subvolume)", spec, (int)scp_min(size, 300), name);
	if (ret)
		return subvolume_error(source, spec);
	if (location.type == SCP_ROOT_ITEM)
		return enter_subvolume(source, place, name, len, location.objectid, spec);
	return enter_directory(source, place, name, len, location.objectid, spec);
}

/* As paths go everywhere: repeated slashes and "." do not count. */
static int find_path(struct source *source, struct subvolume *out)
{
	const char *at = out->spec;
	struct place place = { .dir = SCP_ROOT_DIR_ID };

	if (scp_tree_open(source->volume, SCP_FS_TREE_ID, false, &place.tree))
		return subvolume_error(source, out->spec);
	while (*at) {
		size_t size = strcspn(at, "/");

		if (size && !(size == 1 && *at == '.') &&
		    enter(source, &place, at, size, out->spec))
			return -1;
		at += size;
		at += *at == '/';
	}
	if (place.dir != SCP_ROOT_DIR_ID)
		return error_line("%s: not a subvolume", out->spec);
	return fill_from_root(source, place.tree.id, out);
}

int image_find_subvolume(struct source *source, const char *spec, struct subvolume *out)
{
	if (subvolume_set_spec(out, spec))
		return -1;
	if (!strncmp(spec, "id:", 3))
		return find_id(source, spec + 3, out);
	if (!strncmp(spec, "uuid:", 5))
		return find_uuid(source, spec + 5, out);
	return find_path(source, out);
}
