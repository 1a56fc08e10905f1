/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of an archive, in their order, for writing and for reading.
 *
 *	manifest.json            first line of the journal, and how to get the plain stream back
 *	stream.0000000001        a batch of the stream
 *	checkpoint.0000000001    its "batch" line of the journal
 *	...
 *	complete.json            the journal's "complete" line
 */
#ifndef CLI_CONTAINER_LAYOUT_H
#define CLI_CONTAINER_LAYOUT_H

#define LAYOUT_MANIFEST "manifest.json"
#define LAYOUT_STREAM "stream."
#define LAYOUT_CHECKPOINT "checkpoint."
#define LAYOUT_COMPLETE "complete.json"

/* After LAYOUT_STREAM and LAYOUT_CHECKPOINT; segments are numbered from 1. */
#define LAYOUT_NUMBER "%010llu"

#endif
