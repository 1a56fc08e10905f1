/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed extents as they are stored, read past the filesystem into the caller's buffer.
 *
 * What was read counts only if the subvolume is seen unmoved afterwards, once for a whole fill.
 */
#ifndef SCP_SEND_STORED_H
#define SCP_SEND_STORED_H

struct scp_engine;
struct scp_stored;

/* Reads the extent of @stored to its place, and notes it. */
int scp_stored_read(struct scp_engine *engine, const struct scp_stored *stored);
/* After scp_revalidate(): the extents read are read again as long as the subvolume was moved. */
int scp_stored_prove(struct scp_engine *engine);

#endif
