// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is sent, in the module's terms: open files in place of ids.
 */
#include <errno.h>
#include <stdlib.h>

#include "job/send_job.h"
#include "sender/module.h"

_Static_assert(sizeof(int) == sizeof(__s32), "file descriptors go to the module as they are");
_Static_assert(SENDCP_NO_FILE_DATA == SCP_SEND_NO_FILE_DATA &&
	       SENDCP_OMIT_HEADER == SCP_SEND_OMIT_HEADER &&
	       SENDCP_OMIT_END == SCP_SEND_OMIT_END && SENDCP_COMPRESSED == SCP_SEND_COMPRESSED,
	       "one number for a flag");

/* Clone sources that were named, then what is sent; -1 if it is none of them. */
static int fd_of(const struct subject *subject, u64 id)
{
	for (size_t i = 0; i < subject->clone_count; i++)
		if (subject->clone_sources[i].id == id)
			return subject->clone_sources[i].fd;
	for (size_t i = 0; i < subject->count; i++)
		if (subject->subvolumes[i].id == id)
			return subject->subvolumes[i].fd;
	return -1;
}

static int take_parent(const struct subject *subject, u64 id, struct module_request *request,
		       struct scp_error *error)
{
	request->parent_fd = id ? fd_of(subject, id) : -1;
	if (!id || request->parent_fd >= 0)
		return 0;
	return module_error_say(ENOENT, "the parent is not among the clone sources", error);
}

/* Never of length 0: malloc() may say NULL to that. */
static int *new_fds(size_t count)
{
	return calloc(count + 1, sizeof(int));
}

static int take_lists(const struct subject *subject, const struct scp_request *from,
		      struct module_request *request)
{
	u32 devices = source_device_count(subject->source);

	request->device_fds = new_fds(devices);
	request->clone_fds = new_fds(from->clone_count);
	if (!request->device_fds || !request->clone_fds)
		return -ENOMEM;
	for (u32 i = 0; i < devices; i++)
		request->device_fds[i] = source_device_fd(subject->source, i);
	for (u32 i = 0; i < from->clone_count; i++)
		request->clone_fds[i] = fd_of(subject, from->clone_sources[i]);
	request->device_count = devices;
	request->clone_count = from->clone_count;
	return 0;
}

int module_request_make(const struct subject *subject, size_t index,
			struct module_request *request, struct scp_error *error)
{
	struct scp_request from;
	int ret;

	subject_request(subject, index, &from);
	*request = (struct module_request){
		.protocol = from.protocol,
		.flags = from.flags,
		.subvolume_fd = subject->subvolumes[index].fd,
	};
	ret = take_parent(subject, from.parent, request, error);
	if (ret)
		return ret;
	ret = take_lists(subject, &from, request);
	if (!ret)
		return 0;
	module_request_release(request);
	error->reason = SCP_NO_MEMORY;
	error->err = ret;
	return ret;
}

void module_request_release(struct module_request *request)
{
	free(request->device_fds);
	free(request->clone_fds);
	request->device_fds = NULL;
	request->clone_fds = NULL;
}
