/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for contents that cannot be read, put in the place of the queued one.
 *
 * What is still to be done after each of them is in the queue, and so in a checkpoint.
 */
#ifndef SENDCP_SEND_REPLACED_H
#define SENDCP_SEND_REPLACED_H

#include "send/engine_private.h"

/*
 * The queued WRITE becomes the mark of its first @length bytes, and a WRITE of the others. If the
 * mark says that there are zeros, the caller delivers them now. After a failure nothing is changed.
 */
int sendcp_replace_contents(struct sendcp_engine *engine, u32 length);
/* The queued ENCODED_WRITE becomes a WRITE of the same range of the file. Likewise. */
int sendcp_write_in_place_of_encoded(struct sendcp_engine *engine);

#endif
