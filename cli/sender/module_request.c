// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The request for a subvolume in the module's terms: open files in place of ids.
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
static int fd_of(const struct send_job *job, u64 id)
{
	for (size_t i = 0; i < job->clone_count; i++)
		if (job->clone_sources[i].id == id)
			return job->clone_sources[i].fd;
	for (size_t i = 0; i < job->count; i++)
		if (job->subvolumes[i].id == id)
			return job->subvolumes[i].fd;
	return -1;
}

static int take_parent(const struct send_job *job, u64 id, struct module_request *request,
		       struct scp_error *error)
{
	request->parent_fd = id ? fd_of(job, id) : -1;
	if (!id || request->parent_fd >= 0)
		return 0;
	return module_error_say(ENOENT, "the parent is not among the clone sources", error);
}

/* Never of length 0: malloc() may say NULL to that. */
static int *new_fds(size_t count)
{
	return calloc(count + 1, sizeof(int));
}

static int take_lists(const struct send_job *job, const struct scp_request *from,
		      struct module_request *request)
{
	u32 devices = source_device_count(job->source);

	request->device_fds = new_fds(devices);
	request->clone_fds = new_fds(from->clone_count);
	if (!request->device_fds || !request->clone_fds)
		return -ENOMEM;
	for (u32 i = 0; i < devices; i++)
		request->device_fds[i] = source_device_fd(job->source, i);
	for (u32 i = 0; i < from->clone_count; i++)
		request->clone_fds[i] = fd_of(job, from->clone_sources[i]);
	request->device_count = devices;
	request->clone_count = from->clone_count;
	return 0;
}

int module_request_make(const struct send_job *job, size_t index,
			struct module_request *request, struct scp_error *error)
{
	struct scp_request from;
	int ret;

	send_job_request(job, index, &from);
	*request = (struct module_request){
		.protocol = from.protocol,
		.flags = from.flags,
		.subvolume_fd = job->subvolumes[index].fd,
	};
	ret = take_parent(job, from.parent, request, error);
	if (ret)
		return ret;
	ret = take_lists(job, &from, request);
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
