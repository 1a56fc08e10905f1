// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding again what a sidecar's header names, and making sure that it is the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/identity.h"
#include "sender/sender.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/text.h"

static bool is_image(const struct source *source)
{
	return !strcmp(source_kind(source), "image");
}

/* The filesystem may be mounted elsewhere now. NULL: nowhere. */
static char *find_elsewhere(const struct sidecar_header *header)
{
	char *point = mounted_point(header->fsid);

	if (point)
		verbose_line(1, "%s: its filesystem is mounted at %s",
			     header->subvolumes.pins[0].path, point);
	return point;
}

static bool is_there(const struct sidecar_header *header, const char *path)
{
	u8 fsid[16];

	return !mounted_fsid(path, fsid) && !memcmp(fsid, header->fsid, sizeof(fsid));
}

static int open_mounted(const struct sidecar_header *header, struct source **out)
{
	/* The snapshot may be gone or renamed, the filesystem is still found. */
	char *path = nearest_existing(header->subvolumes.pins[0].path);
	char *elsewhere = is_there(header, path) ? NULL : find_elsewhere(header);
	char uuid[UUID_TEXT_SIZE];
	int ret = source_open_mounted(elsewhere ? elsewhere : path, out);

	free(elsewhere);
	free(path);
	if (!ret)
		return 0;
	uuid_text(header->fsid, uuid);
	return error_line("%s was on the filesystem %s: mount that, or name its devices with "
			  "--device", header->subvolumes.pins[0].path, uuid);
}

/* Another filesystem may be mounted where the first one was. */
static int check_fsid(const struct sidecar_header *header, const struct source *source)
{
	char was[UUID_TEXT_SIZE], is[UUID_TEXT_SIZE];

	if (!memcmp(header->fsid, source_fsid(source), sizeof(header->fsid)))
		return 0;
	uuid_text(header->fsid, was);
	uuid_text(source_fsid(source), is);
	return error_line("%s was on the filesystem %s, and here is another filesystem, %s: mount "
			  "the right one, or name its devices with --device",
			  header->subvolumes.pins[0].path, was, is);
}

int pins_open_source(const struct sidecar_header *header, const struct options *options,
		     struct source **out)
{
	int ret;

	if (options->device_count)
		ret = source_open_image(options->devices, options->device_count, out);
	else if (header->image)
		ret = source_open_image((const char *const *)header->devices,
					header->device_count, out);
	else
		ret = open_mounted(header, out);
	if (ret)
		return ret;
	if (!check_fsid(header, *out) &&
	    (is_image(*out) || !sender_choose(options->backend, *out)))
		return 0;
	source_close(*out);
	*out = NULL;
	return -1;
}

/* A mounted path can be looked at; what an image holds under a name, its UUID has told. */
static bool something_there(const struct source *source, const struct pin *pin)
{
	struct stat st;

	return !is_image(source) && pin->path[0] == '/' && !stat(pin->path, &st);
}

/* Gone and replaced ask for different things. */
static int not_there(const struct source *source, const struct pin *pin)
{
	char name[UUID_TEXT_SIZE];

	if (uuid_is_null(pin->uuid))
		snprintf(name, sizeof(name), "id:%llu", pin->id);
	else
		uuid_text(pin->uuid, name);
	if (something_there(source, pin))
		return error_line("%s was replaced: the subvolume %s is gone, and another is "
				  "there: start a new send of that", pin->path, name);
	return error_line("%s is gone: there is no subvolume %s any more, so this stream cannot be "
			  "completed: start a new send of another snapshot", pin->path, name);
}

/*
 * Received UUIDs can be set without a new transaction id, and stand in the stream. A writable
 * subvolume of an image stays as it is while that is not mounted, and ctransid tells if it was.
 */
static int check_unchanged(const struct source *source, const struct pin *pin,
			   const struct subvolume *found)
{
	if (!found->readonly && !is_image(source))
		return error_line("%s was changed: it is writable now, so the rest would not fit "
				  "what was sent: start a new send", pin->path);
	if (memcmp(found->uuid, pin->uuid, sizeof(pin->uuid)))
		return error_line("%s was changed: it had no UUID and has one now, which the rest "
				  "of the stream would name: start a new send", pin->path);
	if (found->ctransid != pin->ctransid)
		return error_line("%s was changed (transaction %llu then, %llu now), so the rest "
				  "would not fit what was sent: start a new send", pin->path,
				  pin->ctransid, found->ctransid);
	if (memcmp(found->received_uuid, pin->received_uuid, sizeof(pin->received_uuid)))
		return error_line("%s was changed (its received UUID), so the rest would not fit "
				  "what was sent: start a new send", pin->path);
	return 0;
}

/* The user's name for it goes on being the one in messages. */
static void name_it(const struct pin *pin, struct subvolume *found)
{
	if (found->spec && strcmp(found->spec, pin->spec))
		verbose_line(2, "%s is found as %s", pin->spec, found->spec);
	free(found->spec);
	found->spec = xstrdup(pin->spec);
}

/*
 * Very old subvolumes, and those of converted filesystems, have no UUID. Root ids are not given out
 * twice, so within one filesystem the id says as much.
 */
static int find_again(struct source *source, const struct pin *pin, struct subvolume *out)
{
	if (uuid_is_null(pin->uuid))
		return source_find_id(source, pin->id, out);
	return source_find_uuid(source, pin->uuid, out);
}

int pin_reopen(struct source *source, const struct pin *pin, struct subvolume *out)
{
	int ret = find_again(source, pin, out);

	if (ret < 0)
		return -1;
	if (ret)
		return not_there(source, pin);
	if (out->id != pin->id || check_unchanged(source, pin, out)) {
		ret = out->id != pin->id ? not_there(source, pin) : -1;
		subvolume_release(out);
		return ret;
	}
	name_it(pin, out);
	return 0;
}

/* Where @subvolume is found from any directory. In an image its name is that already. */
static char *lasting_path(const struct source *source, const struct subvolume *subvolume)
{
	char *path = is_image(source) ? NULL : realpath(subvolume->spec, NULL);

	return path ? path : xstrdup(subvolume->spec);
}

void pins_make(const struct source *source, const struct subvolume *subvolumes, size_t count,
	       struct pin_list *list)
{
	list->pins = xcalloc(count, sizeof(*list->pins));
	for (list->count = 0; list->count < count; list->count++) {
		const struct subvolume *subvolume = &subvolumes[list->count];
		struct pin *pin = &list->pins[list->count];

		pin->id = subvolume->id;
		pin->ctransid = subvolume->ctransid;
		memcpy(pin->uuid, subvolume->uuid, sizeof(pin->uuid));
		memcpy(pin->received_uuid, subvolume->received_uuid, sizeof(pin->received_uuid));
		pin->spec = xstrdup(subvolume->spec);
		pin->path = lasting_path(source, subvolume);
	}
}
