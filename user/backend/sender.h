/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maker of a subvolume's stream: an engine in this process, or the kernel module.
 *
 * Both make the same bytes and take each other's checkpoints. One caller at a time.
 */
#ifndef USER_BACKEND_SENDER_H
#define USER_BACKEND_SENDER_H

#include <sendcp/source.h>

#include "backend/module.h"

struct sender;

/* A request, and the source that it is about. */
struct sender_input {
	struct sendcp_source *source;
	struct sendcp_request request;
	/* Among these are all subvolumes that the request names by id, held open. */
	const struct sendcp_subvolume *subvolumes;
	size_t count;
	const struct sendcp_subvolume *clone_sources;
	size_t clone_count;
};

/*
 * Gets ready to make the stream after @checkpoint (NULL: from its beginning). The module is used if
 * the source says so. Everything that @input points at must outlive the sender; itself and
 * @checkpoint need not. Negative errno and @error on failure.
 */
int sendcp_sender_open(const struct sender_input *input, const void *checkpoint,
		       size_t checkpoint_size, struct sender **out, struct sendcp_error *error);
/* NULL is fine. */
void sendcp_sender_close(struct sender *sender);

/*
 * As sendcp_engine_fill(), and again if it was interrupted and @cancel (NULL: never) is not set.
 * @cancel is also what the source is interrupted by, if it has one. ->flags: SENDCP_FILL_*.
 */
int sendcp_sender_fill(struct sender *sender, struct sendcp_fill *fill,
		       const struct sendcp_cancel *cancel);
/* As sendcp_engine_checkpoint(). -ENODATA: nothing has been made yet. */
int sendcp_sender_checkpoint(struct sender *sender, void **blob, size_t *size);
/* Bytes of stream that come before the sender's position. */
u64 sendcp_sender_offset(const struct sender *sender);
/* Why the last call failed. Owned by the sender. */
const struct sendcp_error *sendcp_sender_error(const struct sender *sender);

/* An engine of this process for the same, whatever the source says. */
int sendcp_sender_engine(const struct sender_input *input, const void *checkpoint,
			 size_t checkpoint_size, struct sendcp_engine **out,
			 struct sendcp_error *error);

/*
 * The kernel module, reached through @module, is to make the streams of the mounted @source; all
 * else is still read directly. sendcp_source_reopen() gives a source without it.
 */
void sendcp_source_use_module(struct sendcp_source *source, const struct module_access *module);
/* NULL: not by the module. */
const struct module_access *sendcp_source_module(const struct sendcp_source *source);

enum backend {
	BACKEND_AUTO,
	BACKEND_MODULE,
	BACKEND_DIRECT,
};

/*
 * Settles whether the module makes the streams of the mounted @source. BACKEND_AUTO: if it is
 * there; it is loaded if it is installed and not loaded. 0 with @status->why, which is empty or
 * says why it is not the module; -ENODEV: it cannot be used as wanted, ->why says why.
 */
int sendcp_backend_choose(enum backend wanted, struct sendcp_source *source,
			  struct module_status *status);

#endif
