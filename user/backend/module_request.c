// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The request for a subvolume in the module's terms: open files in place of ids.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/sender.h"

_Static_assert(sizeof(int) == sizeof(__s32), "file descriptors go to the module as they are");
_Static_assert(SENDCP_NO_FILE_DATA == SENDCP_SEND_NO_FILE_DATA &&
	       SENDCP_OMIT_HEADER == SENDCP_SEND_OMIT_HEADER &&
	       SENDCP_OMIT_END == SENDCP_SEND_OMIT_END &&
	       SENDCP_COMPRESSED == SENDCP_SEND_COMPRESSED &&
	       SENDCP_DATA_ZERO == SENDCP_SEND_DATA_ZERO &&
	       SENDCP_DATA_SKIP == SENDCP_SEND_DATA_SKIP, "one number for a flag");

static int fd_among(const struct sendcp_subvolume *list, size_t count, u64 id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].id == id)
			return list[i].fd;
	return -1;
}

/* -1: @input does not hold it open. */
static int fd_of(const struct sender_input *input, u64 id)
{
	int fd = fd_among(input->clone_sources, input->clone_count, id);

	return fd >= 0 ? fd : fd_among(input->subvolumes, input->count, id);
}

static int find_parent(const struct sender_input *input, struct module_request *request,
		       struct sendcp_error *error)
{
	u64 id = input->request.parent;

	request->parent_fd = id ? fd_of(input, id) : -1;
	if (!id || request->parent_fd >= 0)
		return 0;
	return sendcp_module_error_say(ENOENT, "the parent is not among the clone sources", error);
}

/* Never of length 0: malloc() may say NULL to that. */
static int *new_fds(size_t count)
{
	return calloc(count + 1, sizeof(int));
}

static int list_fds(const struct sender_input *input, struct module_request *request)
{
	const struct sendcp_request *from = &input->request;
	u32 devices = sendcp_source_device_count(input->source);

	request->device_fds = new_fds(devices);
	request->clone_fds = new_fds(from->clone_count);
	if (!request->device_fds || !request->clone_fds)
		return -ENOMEM;
	for (u32 i = 0; i < devices; i++)
		request->device_fds[i] = sendcp_source_device_fd(input->source, i);
	for (u32 i = 0; i < from->clone_count; i++)
		request->clone_fds[i] = fd_of(input, from->clone_sources[i]);
	request->device_count = devices;
	request->clone_count = from->clone_count;
	return 0;
}

int sendcp_module_request_make(const struct sender_input *input, struct module_request *request,
			       struct sendcp_error *error)
{
	int ret;

	*request = (struct module_request){
		.protocol = input->request.protocol,
		.flags = input->request.flags,
		.subvolume_fd = fd_of(input, input->request.subvolume),
	};
	ret = find_parent(input, request, error);
	if (ret)
		return ret;
	ret = list_fds(input, request);
	if (!ret)
		return 0;
	sendcp_module_request_release(request);
	error->reason = SENDCP_ERR_NO_MEMORY;
	error->err = ret;
	return ret;
}

void sendcp_module_request_release(struct module_request *request)
{
	free(request->device_fds);
	free(request->clone_fds);
	request->device_fds = NULL;
	request->clone_fds = NULL;
}
