// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening the subvolumes to be sent, and requesting them from the engine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/hold.h"
#include "job/choose_parents.h"
#include "job/identity.h"
#include "job/role.h"
#include "job/same_request.h"
#include "job/send_job.h"
#include "backend/sender.h"
#include "job/open_source.h"
#include "util/alloc.h"
#include "util/message.h"

/* A dry run makes no stream, so it does not matter who would. */
static int open_source(const struct options *options, struct sendcp_source **out)
{
	if (options->device_count)
		return open_image(options->devices, options->device_count, out);
	if (role_check_image(ROLE_SNAPSHOT, options->arguments[0]) ||
	    open_mounted(options->arguments[0], role_text(ROLE_SNAPSHOT), out))
		return -1;
	if (options->dry_run || !choose_backend(options->backend, *out))
		return 0;
	sendcp_source_close(*out);
	*out = NULL;
	return -1;
}

/* Nothing can write to an image, so writable subvolumes may be sent from one. */
static bool is_image(const struct send_job *job)
{
	return !strcmp(sendcp_source_kind(job->source), "image");
}

/*
 * A read-only snapshot was whole when it was made; the last writes to a writable subvolume may be
 * in the log alone.
 */
static int check_log(const struct send_job *job, const struct sendcp_subvolume *subvolume)
{
	if (subvolume->readonly || job->ignore_log || !sendcp_source_has_log(job->source))
		return 0;
	return error_line("%s: the filesystem was not unmounted, and data that was synced since "
			  "the last commit is in its log, not in the subvolume: mount it once "
			  "read-write, or send the subvolume without that data with --ignore-log "
			  "(and --device)", subvolume->spec);
}

/* Found, and fit to be sent or cloned from. */
static int find_readonly(struct send_job *job, const char *spec, enum role role,
			 struct sendcp_subvolume *out)
{
	if (!is_image(job) && role_check_image(role, spec))
		return -1;
	if (sendcp_source_find_subvolume(job->source, spec, out))
		return error_line("%s: %s", role_text(role),
				  sendcp_source_error(job->source)->text);
	if (!out->readonly && !is_image(job))
		role_not_readonly(role, spec);
	else if (!check_log(job, out))
		return 0;
	sendcp_subvolume_release(out);
	return -1;
}

static int find_subvolumes(const struct options *options, struct send_job *job)
{
	job->subvolumes = xcalloc(options->argument_count, sizeof(*job->subvolumes));
	job->parents = xcalloc(options->argument_count, sizeof(*job->parents));
	for (size_t i = 0; i < options->argument_count; i++) {
		if (find_readonly(job, options->arguments[i], ROLE_SNAPSHOT,
				  &job->subvolumes[i]))
			return -1;
		job->count++;
	}
	return 0;
}

static int add_clone_source(struct send_job *job, const char *spec, enum role role)
{
	if (find_readonly(job, spec, role, &job->clone_sources[job->clone_count]))
		return -1;
	job->clone_count++;
	return 0;
}

/* As btrfs send does: a parent that was named is a clone source too, the last one. */
static int find_clone_sources(const struct options *options, struct send_job *job)
{
	job->clone_sources = xcalloc(options->clone_count + 1, sizeof(struct sendcp_subvolume));
	for (size_t i = 0; i < options->clone_count; i++)
		if (add_clone_source(job, options->clone_sources[i], ROLE_CLONE_SOURCE))
			return -1;
	if (!options->parent) {
		job->sources_grow = job->clone_count;
		return job->sources_grow ? parents_determine(job) : 0;
	}
	if (add_clone_source(job, options->parent, ROLE_PARENT))
		return -1;
	for (size_t i = 0; i < job->count; i++)
		job->parents[i] = job->clone_sources[job->clone_count - 1].id;
	return 0;
}

/* For requests: the engine takes root ids in one array. */
static void list_ids(struct send_job *job)
{
	u64 *id;

	job->source_ids = xcalloc(job->clone_count + job->count, sizeof(u64));
	id = job->source_ids;
	for (size_t i = 0; i < job->clone_count; i++)
		*id++ = job->clone_sources[i].id;
	for (size_t i = 0; i < job->count; i++)
		*id++ = job->subvolumes[i].id;
}

int send_job_open(const struct options *options, struct send_job *job)
{
	*job = (struct send_job){
		.protocol = (u32)options->protocol,
		.flags = (options->no_data ? SENDCP_SEND_NO_FILE_DATA : 0) |
			 (options->compressed_data ? SENDCP_SEND_COMPRESSED : 0) |
			 options->data_error,
		.one_end = options->one_end,
		.ignore_log = options->ignore_log,
	};
	if (open_source(options, &job->source))
		return -1;
	if (find_subvolumes(options, job) || find_clone_sources(options, job)) {
		send_job_close(job);
		return -1;
	}
	list_ids(job);
	if (!options->dry_run && send_job_hold(job)) {
		send_job_close(job);
		return -1;
	}
	return 0;
}

static int compare_ids(const void *first, const void *second)
{
	const u64 a = *(const u64 *)first, b = *(const u64 *)second;

	return a < b ? -1 : a > b;
}

/* Their root ids in order: a journal may name very many. */
static u64 *parents_in_order(const struct identity_list *subvolumes)
{
	u64 *parents = xcalloc(subvolumes->count, sizeof(*parents));

	for (size_t i = 0; i < subvolumes->count; i++)
		parents[i] = subvolumes->identities[i].parent;
	qsort(parents, subvolumes->count, sizeof(*parents), compare_ids);
	return parents;
}

/* Opens @identities where they are now. Those that are among @parents are that, not @role. */
static int reopen_list(struct send_job *job, const struct identity_list *identities,
		       enum role role, const u64 *parents, size_t parent_count,
		       struct sendcp_subvolume **list, size_t *count)
{
	*list = xcalloc(identities->count, sizeof(**list));
	for (size_t i = 0; i < identities->count; i++) {
		const struct identity *identity = &identities->identities[i];
		bool parent = parent_count && bsearch(&identity->id, parents, parent_count,
						      sizeof(*parents), compare_ids);

		if (reopen_by_identity(job->source, identity, parent ? ROLE_PARENT : role,
				       &(*list)[i]))
			return -1;
		(*count)++;
		if (check_log(job, &(*list)[i]))
			return -1;
	}
	return 0;
}

static int reopen_subvolumes(const struct journal_header *header, struct send_job *job)
{
	const size_t count = header->subvolumes.count;
	u64 *parents = parents_in_order(&header->subvolumes);
	/* A parent is among the clone sources. */
	int ret = reopen_list(job, &header->subvolumes, ROLE_SNAPSHOT, NULL, 0, &job->subvolumes,
			      &job->count) ||
		  reopen_list(job, &header->clone_sources, ROLE_CLONE_SOURCE, parents, count,
			      &job->clone_sources, &job->clone_count);

	free(parents);
	if (ret)
		return -1;
	job->parents = xcalloc(job->count, sizeof(*job->parents));
	for (size_t i = 0; i < job->count; i++)
		job->parents[i] = header->subvolumes.identities[i].parent;
	return 0;
}

int send_job_reopen(const struct journal_header *header, const struct options *options,
		    struct send_job *job)
{
	*job = (struct send_job){
		.protocol = header->protocol,
		.flags = header->flags,
		.one_end = header->one_end,
		.ignore_log = header->ignore_log || options->ignore_log,
		.sources_grow = header->sources_grow,
	};
	if (identities_open_source(header, options, &job->source))
		return -1;
	if (reopen_subvolumes(header, job)) {
		send_job_close(job);
		return -1;
	}
	list_ids(job);
	if (send_job_hold(job)) {
		send_job_close(job);
		return -1;
	}
	return 0;
}

int send_job_adopt(const struct journal_header *header, struct send_job *job)
{
	char *difference = request_other_subvolumes(header, job);

	if (difference) {
		error_line("%s", difference);
		free(difference);
		return -1;
	}
	job->protocol = header->protocol;
	job->flags = header->flags & (SENDCP_SEND_NO_FILE_DATA | SENDCP_SEND_COMPRESSED |
				      SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP);
	job->one_end = header->one_end;
	job->sources_grow = header->sources_grow;
	return 0;
}

/* Paths of devices, so that they are found from any directory. */
static void identity_devices(const struct options *options, struct journal_header *header)
{
	header->image = options->device_count;
	header->devices = xcalloc(options->device_count, sizeof(*header->devices));
	for (size_t i = 0; i < options->device_count; i++) {
		char *path = realpath(options->devices[i], NULL);

		header->devices[i] = path ? path : xstrdup(options->devices[i]);
		header->device_count++;
	}
}

void send_job_pin(const struct send_job *job, const struct options *options,
		  struct journal_header *header)
{
	header->tool = xstrdup(SENDCP_VERSION);
	header->begun = (u64)time(NULL);
	header->module = sendcp_source_module(job->source);
	identity_devices(options, header);
	header->protocol = job->protocol;
	header->flags = job->flags;
	header->one_end = job->one_end;
	header->ignore_log = job->ignore_log;
	header->sources_grow = job->sources_grow;
	memcpy(header->fsid, sendcp_source_fsid(job->source), sizeof(header->fsid));
	identities_make(job->source, job->subvolumes, job->count, &header->subvolumes);
	identities_make(job->source, job->clone_sources, job->clone_count,
			&header->clone_sources);
	for (size_t i = 0; i < job->count; i++)
		header->subvolumes.identities[i].parent = job->parents[i];
}

static void release_list(struct sendcp_subvolume *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sendcp_subvolume_release(&list[i]);
	free(list);
}

void send_job_close(struct send_job *job)
{
	sendcp_hold_release(job->hold);
	release_list(job->subvolumes, job->count);
	release_list(job->clone_sources, job->clone_count);
	free(job->parents);
	free(job->source_ids);
	sendcp_source_close(job->source);
	memset(job, 0, sizeof(*job));
}

void send_job_input(const struct send_job *job, size_t index, struct sender_input *input)
{
	size_t sources = job->clone_count + (job->sources_grow ? index : 0);

	*input = (struct sender_input){
		.source = job->source,
		.request = {
			.protocol = job->protocol,
			.flags = job->flags | (is_image(job) ? SENDCP_SEND_WRITABLE_OK : 0),
			.subvolume = job->subvolumes[index].id,
			.parent = job->parents[index],
			.clone_sources = sources ? job->source_ids : NULL,
			.clone_count = (u32)sources,
		},
		.subvolumes = job->subvolumes,
		.count = job->count,
		.clone_sources = job->clone_sources,
		.clone_count = job->clone_count,
	};
	if (job->one_end && index)
		input->request.flags |= SENDCP_SEND_OMIT_HEADER;
	if (job->one_end && index + 1 < job->count)
		input->request.flags |= SENDCP_SEND_OMIT_END;
}

int send_job_sender(const struct send_job *job, size_t index, const void *checkpoint,
		    size_t checkpoint_size, struct sender **out, struct sendcp_error *error)
{
	struct sender_input input;

	send_job_input(job, index, &input);
	return sendcp_sender_open(&input, checkpoint, checkpoint_size, out, error);
}

int send_job_engine(const struct send_job *job, struct sendcp_source *source, size_t index,
		    const void *checkpoint, size_t checkpoint_size, struct sendcp_engine **out,
		    struct sendcp_error *error)
{
	struct sender_input input;

	send_job_input(job, index, &input);
	input.source = source;
	return sendcp_sender_engine(&input, checkpoint, checkpoint_size, out, error);
}
