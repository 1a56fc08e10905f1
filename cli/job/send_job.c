// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is sent: opening it, and asking the engine for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/hold.h"
#include "job/choose_parents.h"
#include "job/identity.h"
#include "job/send_job.h"
#include "sender/sender.h"
#include "util/alloc.h"
#include "util/message.h"

/* A dry run makes no stream, so it does not matter who would. */
static int open_source(const struct options *options, struct source **out)
{
	if (options->device_count)
		return source_open_image(options->devices, options->device_count, out);
	if (source_open_mounted(options->arguments[0], out))
		return -1;
	if (options->dry_run || !sender_choose(options->backend, *out))
		return 0;
	source_close(*out);
	return -1;
}

/* Nothing can write to an image, so writable subvolumes may be sent from one. */
static bool is_image(const struct subject *subject)
{
	return !strcmp(source_kind(subject->source), "image");
}

/*
 * A read-only snapshot was whole when it was made; what was written to a writable subvolume may be
 * in the log alone.
 */
static int check_log(const struct subject *subject, const struct subvolume *subvolume)
{
	if (subvolume->readonly || subject->ignore_log || !source_has_log(subject->source))
		return 0;
	return error_line("%s: the filesystem was not unmounted, and what programs synced since "
			  "the last commit is in its log, not in the subvolume: mount it once "
			  "read-write, or send the subvolume without that by --ignore-log (with "
			  "--device)", subvolume->spec);
}

/* Found, and fit to be sent or cloned from. */
static int find_readonly(struct subject *subject, const char *spec, struct subvolume *out)
{
	if (source_find_subvolume(subject->source, spec, out))
		return -1;
	if (!out->readonly && !is_image(subject))
		error_line("subvolume %s is not read-only", spec);
	else if (!check_log(subject, out))
		return 0;
	subvolume_release(out);
	return -1;
}

static int find_subvolumes(const struct options *options, struct subject *subject)
{
	subject->subvolumes = xcalloc(options->argument_count, sizeof(*subject->subvolumes));
	subject->parents = xcalloc(options->argument_count, sizeof(*subject->parents));
	for (size_t i = 0; i < options->argument_count; i++) {
		if (find_readonly(subject, options->arguments[i], &subject->subvolumes[i]))
			return -1;
		subject->count++;
	}
	return 0;
}

static int add_clone_source(struct subject *subject, const char *spec)
{
	if (find_readonly(subject, spec, &subject->clone_sources[subject->clone_count]))
		return -1;
	subject->clone_count++;
	return 0;
}

/* As btrfs send does: a parent that was named is a clone source too, the last one. */
static int find_clone_sources(const struct options *options, struct subject *subject)
{
	subject->clone_sources = xcalloc(options->clone_count + 1, sizeof(struct subvolume));
	for (size_t i = 0; i < options->clone_count; i++)
		if (add_clone_source(subject, options->clone_sources[i]))
			return -1;
	if (!options->parent) {
		subject->sources_grow = subject->clone_count;
		return subject->sources_grow ? parents_determine(subject) : 0;
	}
	if (add_clone_source(subject, options->parent))
		return -1;
	for (size_t i = 0; i < subject->count; i++)
		subject->parents[i] = subject->clone_sources[subject->clone_count - 1].id;
	return 0;
}

/* For requests: the engine takes root ids in one array. */
static void list_ids(struct subject *subject)
{
	u64 *id;

	subject->source_ids = xcalloc(subject->clone_count + subject->count, sizeof(u64));
	id = subject->source_ids;
	for (size_t i = 0; i < subject->clone_count; i++)
		*id++ = subject->clone_sources[i].id;
	for (size_t i = 0; i < subject->count; i++)
		*id++ = subject->subvolumes[i].id;
}

int subject_open(const struct options *options, struct subject *subject)
{
	*subject = (struct subject){
		.protocol = (u32)options->protocol,
		.flags = (options->no_data ? SCP_SEND_NO_FILE_DATA : 0) |
			 (options->compressed_data ? SCP_SEND_COMPRESSED : 0),
		.one_end = options->one_end,
		.ignore_log = options->ignore_log,
	};
	if (open_source(options, &subject->source))
		return -1;
	if (find_subvolumes(options, subject) || find_clone_sources(options, subject)) {
		subject_close(subject);
		return -1;
	}
	list_ids(subject);
	if (!options->dry_run && subject_hold(subject)) {
		subject_close(subject);
		return -1;
	}
	return 0;
}

/* Opens @pins where they are now. */
static int reopen_list(struct subject *subject, const struct pin_list *pins,
		       struct subvolume **list, size_t *count)
{
	*list = xcalloc(pins->count, sizeof(**list));
	for (size_t i = 0; i < pins->count; i++) {
		if (pin_reopen(subject->source, &pins->pins[i], &(*list)[i]))
			return -1;
		(*count)++;
		if (check_log(subject, &(*list)[i]))
			return -1;
	}
	return 0;
}

static int reopen_subvolumes(const struct sidecar_header *header, struct subject *subject)
{
	if (reopen_list(subject, &header->subvolumes, &subject->subvolumes, &subject->count) ||
	    reopen_list(subject, &header->clone_sources, &subject->clone_sources,
			&subject->clone_count))
		return -1;
	subject->parents = xcalloc(subject->count, sizeof(*subject->parents));
	for (size_t i = 0; i < subject->count; i++)
		subject->parents[i] = header->subvolumes.pins[i].parent;
	return 0;
}

int subject_reopen(const struct sidecar_header *header, const struct options *options,
		   struct subject *subject)
{
	*subject = (struct subject){
		.protocol = header->protocol,
		.flags = header->flags,
		.one_end = header->one_end,
		.ignore_log = header->ignore_log || options->ignore_log,
		.sources_grow = header->sources_grow,
	};
	if (pins_open_source(header, options, &subject->source))
		return -1;
	if (reopen_subvolumes(header, subject)) {
		subject_close(subject);
		return -1;
	}
	list_ids(subject);
	if (subject_hold(subject)) {
		subject_close(subject);
		return -1;
	}
	return 0;
}

static bool same_subvolume(const struct pin *pin, const struct subvolume *subvolume)
{
	return pin->id == subvolume->id && pin->ctransid == subvolume->ctransid &&
	       !memcmp(pin->uuid, subvolume->uuid, sizeof(pin->uuid)) &&
	       !memcmp(pin->received_uuid, subvolume->received_uuid, sizeof(pin->received_uuid));
}

static int compare_list(const struct pin_list *pins, const struct subvolume *subvolumes,
			size_t count, const char *role)
{
	if (pins->count != count)
		return error_line("%zu %s(s) were named, and it was sent with %zu", count, role,
				  pins->count);
	for (size_t i = 0; i < count; i++)
		if (!same_subvolume(&pins->pins[i], &subvolumes[i]))
			return error_line("%s is not the %s that it was sent with (%s)",
					  subvolumes[i].spec, role, pins->pins[i].path);
	return 0;
}

int subject_adopt(const struct sidecar_header *header, struct subject *subject)
{
	if (memcmp(header->fsid, source_fsid(subject->source), sizeof(header->fsid)))
		return error_line("%s is on another filesystem", subject->subvolumes[0].spec);
	if (compare_list(&header->subvolumes, subject->subvolumes, subject->count, "subvolume") ||
	    compare_list(&header->clone_sources, subject->clone_sources, subject->clone_count,
			 "clone source"))
		return -1;
	for (size_t i = 0; i < subject->count; i++)
		if (header->subvolumes.pins[i].parent != subject->parents[i])
			return error_line("%s was sent with another parent",
					  subject->subvolumes[i].spec);
	subject->protocol = header->protocol;
	subject->flags = header->flags & (SCP_SEND_NO_FILE_DATA | SCP_SEND_COMPRESSED);
	subject->one_end = header->one_end;
	subject->sources_grow = header->sources_grow;
	return 0;
}

/* Paths of devices, so that they are found from any directory. */
static void pin_devices(const struct options *options, struct sidecar_header *header)
{
	header->image = options->device_count;
	header->devices = xcalloc(options->device_count, sizeof(*header->devices));
	for (size_t i = 0; i < options->device_count; i++) {
		char *path = realpath(options->devices[i], NULL);

		header->devices[i] = path ? path : xstrdup(options->devices[i]);
		header->device_count++;
	}
}

void subject_pin(const struct subject *subject, const struct options *options,
		 struct sidecar_header *header)
{
	header->tool = xstrdup(SENDCP_VERSION);
	header->begun = (u64)time(NULL);
	header->module = source_module(subject->source);
	pin_devices(options, header);
	header->protocol = subject->protocol;
	header->flags = subject->flags;
	header->one_end = subject->one_end;
	header->ignore_log = subject->ignore_log;
	header->sources_grow = subject->sources_grow;
	memcpy(header->fsid, source_fsid(subject->source), sizeof(header->fsid));
	pins_make(subject->source, subject->subvolumes, subject->count, &header->subvolumes);
	pins_make(subject->source, subject->clone_sources, subject->clone_count,
		  &header->clone_sources);
	for (size_t i = 0; i < subject->count; i++)
		header->subvolumes.pins[i].parent = subject->parents[i];
}

static void release_list(struct subvolume *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		subvolume_release(&list[i]);
	free(list);
}

void subject_close(struct subject *subject)
{
	hold_release(subject->hold);
	release_list(subject->subvolumes, subject->count);
	release_list(subject->clone_sources, subject->clone_count);
	free(subject->parents);
	free(subject->source_ids);
	source_close(subject->source);
	memset(subject, 0, sizeof(*subject));
}

void subject_request(const struct subject *subject, size_t index, struct scp_request *request)
{
	size_t sources = subject->clone_count + (subject->sources_grow ? index : 0);

	*request = (struct scp_request){
		.protocol = subject->protocol,
		.flags = subject->flags | (is_image(subject) ? SCP_SEND_WRITABLE_OK : 0),
		.subvolume = subject->subvolumes[index].id,
		.parent = subject->parents[index],
		.clone_sources = sources ? subject->source_ids : NULL,
		.clone_count = (u32)sources,
	};
	if (subject->one_end && index)
		request->flags |= SCP_SEND_OMIT_HEADER;
	if (subject->one_end && index + 1 < subject->count)
		request->flags |= SCP_SEND_OMIT_END;
}
