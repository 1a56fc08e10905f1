/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scanning a file of zstd frames, block by block, to find where it can be truncated.
 *
 * A frame can be truncated after any of its blocks and closed there: blocks need those before them,
 * never those after. The caller decides: it is given the contents and says how much of them is
 * proven. Contents of a truncated frame are not covered by its checksum: hashes have to prove them.
 */
#ifndef CLI_RESUME_APPEND_BLOCKS_H
#define CLI_RESUME_APPEND_BLOCKS_H

#include <stdbool.h>
#include <sendcp/platform.h>

/* The bytes needed to make the file end well at a cut. */
enum blocks_close {
	/* Nothing: a frame ends there, or the file begins. */
	BLOCKS_CLOSED,
	/* The frame's checksum: its last block is the one before. */
	BLOCKS_LACKS_SUM,
	/* An empty last block, and the checksum where the frame has one. */
	BLOCKS_LACKS_END,
};

struct blocks_cut {
	u64 file;
	u64 plain;
	enum blocks_close close;
	bool has_sum;
	/* The beginning of the frame, in the file and in its contents. */
	u64 frame_file;
	u64 frame_plain;
	/*
	 * The place in the frame's header of the size of the contents, and its width in bytes; 0:
	 * none.
	 */
	u64 size_file;
	unsigned int size_width;
	/* The window is as large as the frame, which is small enough to be in memory. */
	bool single;
};

struct blocks_result {
	/* The last cut that is not after what is proven. */
	struct blocks_cut cut;
	/* The frame's checksum of its contents up to the cut. */
	u32 sum;
	/* Contents from the cut to what is proven; malloc'ed. */
	u8 *rest;
	size_t rest_size;
	/* All bytes of the file were frames that are whole. */
	bool whole;
	/* It went no further at a frame that needs more memory than any of ours. */
	bool too_large;
	/* All contents that could be read. */
	u64 plain;
	/* Why it went no further; "" if the file ended with a frame. */
	char what[192];
};

/*
 * Takes the next contents and says how many bytes of them all are proven by now. False: nothing
 * that follows can be proven.
 */
typedef bool (*blocks_take_fn)(void *context, const void *data, size_t size, u64 *proven);

/* 0, or a negative errno: the file could not be read. ->rest is the caller's in any case. */
int blocks_walk(int fd, blocks_take_fn take, void *context, struct blocks_result *result);

/*
 * Truncates the file at ->cut and closes the frame there, durably; *@size is its new length.
 * Negative errno. The part that is kept does not change, even if the writes reach the disk in
 * another order.
 */
int blocks_close(int fd, const struct blocks_result *result, u64 *size);

#endif
