/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed extents as they are stored, read past the filesystem into the caller's buffer.
 *
 * What was read counts only if the subvolume is seen unmoved afterwards, once for a whole fill.
 */
#ifndef SCP_SEND_ENCODED_H
#define SCP_SEND_ENCODED_H

struct scp_engine;
struct scp_encoded;

/* Reads the extent of @encoded to its place, and notes it. */
int scp_encoded_read(struct scp_engine *engine, const struct scp_encoded *encoded);
/* After scp_revalidate(): the extents read are read again as long as the subvolume was moved. */
int scp_encoded_prove(struct scp_engine *engine);

#endif
