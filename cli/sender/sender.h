/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sender makes a subvolume's stream: an engine in this process, or the kernel module.
 *
 * Both make the same bytes and take each other's checkpoints. One caller at a time.
 */
#ifndef CLI_SENDER_SENDER_H
#define CLI_SENDER_SENDER_H

#include "job/send_job.h"

struct sender;

/*
 * Gets ready to make the stream of subvolume @index after @checkpoint (NULL: from its beginning).
 * The module is used if @job's source says so. Negative errno and @error on failure.
 */
int sender_open(const struct send_job *job, size_t index, const void *checkpoint,
		size_t checkpoint_size, struct sender **out, struct scp_error *error);
/* NULL is fine. */
void sender_close(struct sender *sender);

/*
 * As scp_engine_fill(), and again if it was interrupted by nothing that asks to stop. ->flags:
 * SCP_FILL_*.
 */
int sender_fill(struct sender *sender, struct scp_fill *fill);
/* As scp_engine_checkpoint(). -ENODATA: nothing has been made yet. */
int sender_checkpoint(struct sender *sender, void *buffer, size_t size, size_t *needed);
/* Bytes of stream that come before the sender's position. */
u64 sender_offset(const struct sender *sender);
/* Why the last call failed. Owned by the sender. */
const struct scp_error *sender_error(const struct sender *sender);

/* An engine of this process for the same, reading from @source of any kind. */
int sender_engine(const struct send_job *job, struct source *source, size_t index,
		  const void *checkpoint, size_t checkpoint_size, struct scp_engine **out,
		  struct scp_error *error);

/*
 * Settles whether what is sent from the mounted @source is made by the module. BACKEND_AUTO: if it
 * is there; it is loaded if it is installed and not loaded. 0, or -1 after an error line.
 */
int sender_choose(enum backend wanted, struct source *source);

#endif
