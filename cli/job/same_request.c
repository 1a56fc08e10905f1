// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what the user asks for now the stream that an earlier run began?
 */
#include <string.h>

#include <sendcp/engine.h>

#include "job/same_request.h"
#include "util/alloc.h"
#include "util/fileio.h"

static bool same_subvolume(const struct identity *identity,
			   const struct sendcp_subvolume *subvolume)
{
	return identity->id == subvolume->id && identity->ctransid == subvolume->ctransid &&
	       !memcmp(identity->uuid, subvolume->uuid, sizeof(identity->uuid)) &&
	       !memcmp(identity->received_uuid, subvolume->received_uuid,
		       sizeof(identity->received_uuid));
}

static char *other_subvolume(const struct identity *identity, const char *spec, const char *role)
{
	char *whole = absolute_path(spec);
	bool same_place = !strcmp(whole ? whole : spec, identity->path) ||
			  !strcmp(spec, identity->path);

	free(whole);
	if (same_place)
		return xasprintf("the %s %s was changed or replaced since", role, spec);
	return xasprintf("%s is not the %s that it was sent with (%s)", spec, role, identity->path);
}

static char *list_difference(const struct identity_list *identities,
			     const struct sendcp_subvolume *subvolumes, size_t count,
			     const char *role)
{
	if (identities->count != count)
		return xasprintf("%zu %s(s) were named, but it was sent with %zu", count, role,
				 identities->count);
	for (size_t i = 0; i < count; i++)
		if (!same_subvolume(&identities->identities[i], &subvolumes[i]))
			return other_subvolume(&identities->identities[i], subvolumes[i].spec,
					       role);
	return NULL;
}

/* A parent is a clone source, too. */
static const char *parent_path(const struct journal_header *header, u64 id)
{
	for (size_t i = 0; i < header->clone_sources.count; i++)
		if (header->clone_sources.identities[i].id == id)
			return header->clone_sources.identities[i].path;
	return "another snapshot";
}

static char *parent_difference(const struct journal_header *header, const struct send_job *job,
			       size_t index)
{
	u64 then = header->subvolumes.identities[index].parent;
	const char *name = job->subvolumes[index].spec;

	if (then == job->parents[index])
		return NULL;
	if (!then)
		return xasprintf("%s was sent without a parent", name);
	return xasprintf("%s was sent with the parent %s", name, parent_path(header, then));
}

char *request_other_subvolumes(const struct journal_header *header, const struct send_job *job)
{
	char *difference;

	if (memcmp(header->fsid, sendcp_source_fsid(job->source), sizeof(header->fsid)))
		return xasprintf("%s is on another filesystem", job->subvolumes[0].spec);
	difference = list_difference(&header->subvolumes, job->subvolumes, job->count, "subvolume");
	for (size_t i = 0; !difference && i < job->count; i++)
		difference = parent_difference(header, job, i);
	if (difference)
		return difference;
	return list_difference(&header->clone_sources, job->clone_sources, job->clone_count,
			       "clone source");
}

static char *flag_difference(bool then, bool now, const char *option)
{
	return then == now ? NULL : xasprintf("it was sent with%s %s", then ? "" : "out", option);
}

const char *data_error_name(u32 flags)
{
	return flags & SENDCP_SEND_DATA_ZERO ? "zero" : flags & SENDCP_SEND_DATA_SKIP ? "skip" :
	       "fail";
}

static char *data_error_difference(u32 then, u32 now)
{
	if (!strcmp(data_error_name(then), data_error_name(now)))
		return NULL;
	return xasprintf("it was sent with --on-data-error=%s", data_error_name(then));
}

static char *container_difference(const struct container_spec *then,
				  const struct container_spec *now)
{
	if (then->archive != now->archive && !then->archive)
		return xstrdup("it was sent without --archive");
	if (then->archive != now->archive)
		return xasprintf("it was sent with --archive=%s", archive_kind_name(then->archive));
	if (then->level == now->level)
		return NULL;
	return then->level ? xasprintf("it was sent with --compress=%d", then->level) :
			     xstrdup("it was sent without --compress");
}

char *request_difference(const struct journal_header *header, const struct send_job *job,
			 const struct options *options)
{
	char *difference = request_other_subvolumes(header, job);

	if (!difference && header->protocol != job->protocol)
		difference = xasprintf("it was sent with --proto %u", header->protocol);
	if (!difference)
		difference = flag_difference(header->flags & SENDCP_SEND_NO_FILE_DATA,
					     job->flags & SENDCP_SEND_NO_FILE_DATA, "--no-data");
	if (!difference)
		difference = flag_difference(header->flags & SENDCP_SEND_COMPRESSED,
					     job->flags & SENDCP_SEND_COMPRESSED,
					     "--compressed-data");
	if (!difference)
		difference = data_error_difference(header->flags, job->flags);
	if (!difference)
		difference = flag_difference(header->one_end, job->one_end, "-e");
	if (!difference)
		difference = container_difference(&header->container, &options->container);
	return difference;
}
