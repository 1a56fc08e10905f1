/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A receiver's position in the stream with a proof: "N:HASH".
 *
 * N counts the bytes of a plain stream. HASH is XXH3-128, in hexadecimal, of the stream's bytes
 * from N - POSITION_WINDOW (or 0) to N. Of a compressed or archived file it is "F:N:HASH": the
 * file's first F bytes are whole frames or segments, and hold the first N bytes of the stream.
 */
#ifndef CLI_RESUME_POSITION_H
#define CLI_RESUME_POSITION_H

#include <stdbool.h>
#include <sendcp/platform.h>

#include "journal/format.h"
#include "resume/point.h"

#define POSITION_WINDOW (16u << 20)

struct position {
	/* Of the file; of a plain one the same as ->plain. */
	u64 file;
	u64 plain;
	bool in_container;
	u8 hash[HASH_SIZE];
};

/* Size of a position as text, with its NUL. */
#define POSITION_TEXT_SIZE 80

char *position_text(const struct position *position, char text[POSITION_TEXT_SIZE]);
bool position_parse(const char *text, struct position *position);

/*
 * Up to where the stream in @path is right, command by command. "-" or a pipe must have a plain
 * stream. -1 with an error line.
 */
int position_find(const char *path, struct position *position);

/*
 * Makes the window's bytes of @job again, each batch proven by its hash in @contents, and
 * compares. Returns 0 with @point at the position, 1 if it is the stream's end, or -1 with an error
 * line; POSITION_LATER with one that says what may pass: it was stopped, or a read failed.
 */
#define POSITION_LATER (-2)
int position_prove(const struct journal_contents *contents, const struct send_job *job,
		   const struct position *position, struct resume_point *point);
/* The same, but the point may be before the position; see resume_point_before(). */
int position_prove_before(const struct journal_contents *contents, const struct send_job *job,
			  const struct position *position, struct resume_point *point);

#endif
