// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding again what a journal's header names, and making sure that it is the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/identity.h"
#include "job/open_source.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/text.h"

static bool is_image(const struct sendcp_source *source)
{
	return !strcmp(sendcp_source_kind(source), "image");
}

/* The filesystem may be mounted elsewhere now. NULL: nowhere. */
static char *find_elsewhere(const struct journal_header *header)
{
	char *point = sendcp_mounted_point(header->fsid);

	if (point)
		verbose_line(1, "%s: its filesystem is mounted at %s",
			     header->subvolumes.identities[0].path, point);
	return point;
}

static bool is_there(const struct journal_header *header, const char *path)
{
	u8 fsid[16];

	return !sendcp_mounted_fsid(path, fsid) && !memcmp(fsid, header->fsid, sizeof(fsid));
}

static int open_where_mounted(const struct journal_header *header, struct sendcp_source **out)
{
	/* The snapshot may be deleted or renamed, the filesystem is still found. */
	char *path = nearest_existing(header->subvolumes.identities[0].path);
	char *elsewhere = is_there(header, path) ? NULL : find_elsewhere(header);
	char uuid[UUID_TEXT_SIZE];
	int ret = open_mounted(elsewhere ? elsewhere : path, NULL, out);

	free(elsewhere);
	free(path);
	if (!ret)
		return 0;
	sendcp_uuid_text(header->fsid, uuid);
	return error_line("%s was on the filesystem %s: mount it, or name its devices with "
			  "--device", header->subvolumes.identities[0].path, uuid);
}

/* Another filesystem may be mounted where the first one was. */
static int check_fsid(const struct journal_header *header, const struct sendcp_source *source)
{
	char was[UUID_TEXT_SIZE], is[UUID_TEXT_SIZE];

	if (!memcmp(header->fsid, sendcp_source_fsid(source), sizeof(header->fsid)))
		return 0;
	sendcp_uuid_text(header->fsid, was);
	sendcp_uuid_text(sendcp_source_fsid(source), is);
	return error_line("%s was on the filesystem %s, and this is the filesystem %s: mount the "
			  "right one, or name its devices with --device",
			  header->subvolumes.identities[0].path, was, is);
}

int identities_open_source(const struct journal_header *header, const struct options *options,
			   struct sendcp_source **out)
{
	int ret;

	if (options->device_count)
		ret = open_image(options->devices, options->device_count, out);
	else if (header->image)
		ret = open_image((const char *const *)header->devices, header->device_count, out);
	else
		ret = open_where_mounted(header, out);
	if (ret)
		return ret;
	if (!check_fsid(header, *out) &&
	    (is_image(*out) || !choose_backend(options->backend, *out)))
		return 0;
	sendcp_source_close(*out);
	*out = NULL;
	return -1;
}

/* A mounted path can be looked up; of an image, the UUID has proven what is there under a name. */
static bool something_there(const struct sendcp_source *source, const struct identity *identity)
{
	struct stat st;

	return !is_image(source) && identity->path[0] == '/' && !stat(identity->path, &st);
}

/* Deleted and replaced ones need different remedies. */
static int not_there(const struct sendcp_source *source, const struct identity *identity,
		     enum role role)
{
	char name[UUID_TEXT_SIZE];

	if (sendcp_uuid_is_null(identity->uuid))
		snprintf(name, sizeof(name), "id:%llu", identity->id);
	else
		sendcp_uuid_text(identity->uuid, name);
	if (something_there(source, identity))
		return error_line("the %s %s was replaced: the subvolume %s is gone, and another "
				  "has its path: %s", role_text(role), identity->path, name,
				  role == ROLE_SNAPSHOT ? "start a new send of that one" :
				  role_new_send(role));
	return error_line("the %s %s is gone: there is no subvolume %s any more, so this stream "
			  "cannot be completed: %s", role_text(role), identity->path, name,
			  role_new_send(role));
}

/*
 * Received UUIDs can be set without a new transaction id, and are in the stream. A writable
 * subvolume of an image stays as it is while that is not mounted, and ctransid shows if it was.
 */
static int check_unchanged(const struct sendcp_source *source, const struct identity *identity,
			   enum role role, const struct sendcp_subvolume *found)
{
	const char *text = role_text(role), *path = identity->path;
	const char *advice = role == ROLE_SNAPSHOT ? "start a new send" : role_new_send(role);

	if (!found->readonly && !is_image(source))
		return error_line("the %s %s was changed: it is writable now, so the rest would "
				  "not fit what was sent: %s", text, path, advice);
	if (memcmp(found->uuid, identity->uuid, sizeof(identity->uuid)))
		return error_line("the %s %s was changed: it had no UUID and has one now, which "
				  "the rest of the stream would name: %s", text, path, advice);
	if (found->ctransid != identity->ctransid)
		return error_line("the %s %s was changed (transaction %llu then, %llu now), so the "
				  "rest would not fit what was sent: %s", text, path,
				  identity->ctransid, found->ctransid, advice);
	if (memcmp(found->received_uuid, identity->received_uuid, sizeof(identity->received_uuid)))
		return error_line("the %s %s was changed (its received UUID), so the rest would "
				  "not fit what was sent: %s", text, path, advice);
	return 0;
}

/* Messages keep the user's name for it. */
static void name_it(const struct identity *identity, struct sendcp_subvolume *found)
{
	if (found->spec && strcmp(found->spec, identity->spec))
		verbose_line(2, "%s is found as %s", identity->spec, found->spec);
	free(found->spec);
	found->spec = xstrdup(identity->spec);
}

/*
 * Very old subvolumes, and those of converted filesystems, have no UUID. Root ids are not given out
 * twice, so within one filesystem the id says as much.
 */
static int find_again(struct sendcp_source *source, const struct identity *identity,
		      struct sendcp_subvolume *out)
{
	if (sendcp_uuid_is_null(identity->uuid))
		return sendcp_source_find_id(source, identity->id, out);
	return sendcp_source_find_uuid(source, identity->uuid, out);
}

int reopen_by_identity(struct sendcp_source *source, const struct identity *identity,
		       enum role role, struct sendcp_subvolume *out)
{
	int ret = find_again(source, identity, out);

	if (ret < 0)
		return error_line("%s: %s", role_text(role), sendcp_source_error(source)->text);
	if (ret)
		return not_there(source, identity, role);
	if (out->id != identity->id || check_unchanged(source, identity, role, out)) {
		ret = out->id != identity->id ? not_there(source, identity, role) : -1;
		sendcp_subvolume_release(out);
		return ret;
	}
	name_it(identity, out);
	return 0;
}

/* A path by which @subvolume is found from any directory. In an image its name is one already. */
static char *lasting_path(const struct sendcp_source *source,
			  const struct sendcp_subvolume *subvolume)
{
	char *path = is_image(source) ? NULL : realpath(subvolume->spec, NULL);

	return path ? path : xstrdup(subvolume->spec);
}

void identities_make(const struct sendcp_source *source, const struct sendcp_subvolume *subvolumes,
		     size_t count, struct identity_list *list)
{
	list->identities = xcalloc(count, sizeof(*list->identities));
	for (list->count = 0; list->count < count; list->count++) {
		const struct sendcp_subvolume *subvolume = &subvolumes[list->count];
		struct identity *identity = &list->identities[list->count];

		identity->id = subvolume->id;
		identity->ctransid = subvolume->ctransid;
		memcpy(identity->uuid, subvolume->uuid, sizeof(identity->uuid));
		memcpy(identity->received_uuid, subvolume->received_uuid,
		       sizeof(identity->received_uuid));
		identity->spec = xstrdup(subvolume->spec);
		identity->path = lasting_path(source, subvolume);
	}
}
