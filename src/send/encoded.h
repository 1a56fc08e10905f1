/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed extents as they are stored, read past the filesystem into the caller's buffer.
 *
 * What was read counts only if the subvolume is seen unmoved afterwards, once for a whole fill.
 */
#ifndef SENDCP_SEND_ENCODED_H
#define SENDCP_SEND_ENCODED_H

struct sendcp_engine;
struct sendcp_encoded;

/* Reads the extent of @encoded to its place, and notes it. */
int sendcp_encoded_read(struct sendcp_engine *engine, const struct sendcp_encoded *encoded);
/* After sendcp_revalidate(): the extents read are read again as long as the subvolume was moved. */
int sendcp_encoded_prove(struct sendcp_engine *engine);

#endif
