/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of a table of damage: each has cases by number, which are run in worker processes, so that
 * a case that crashes, hangs or eats memory is one failure, named, and the next case follows.
 *
 * Environment: JOBS, the number of workers (1); SAMPLE, at most so many cases of a row, chosen by
 * SEED (0: all); SHOWN, how many failures a worker names of a row (10): all are counted.
 */
#ifndef TEST_CORRUPTION_CASES_H
#define TEST_CORRUPTION_CASES_H

#include <sendcp/platform.h>

/* Nothing that is sent, read or resumed may need more. */
#define CASE_MEMORY_MAX (256u << 20)
/* Seconds of a case, after which it hangs. */
#define CASE_SECONDS 30u

/* From the best to the worst: what is made of several parts of a case is the largest. */
enum outcome {
	/* The change changes nothing: no case. */
	OUTCOME_NONE,
	OUTCOME_SAME,
	/* Exit status 1 (or 2 for what is an argument), one line. */
	OUTCOME_REFUSED,
	/* Exit status 75. */
	OUTCOME_INTERRUPTED,
	/* Another stream, and a well-formed one: only where a checksum was made right again. */
	OUTCOME_FORMED,
	OUTCOME_FAILED,
	OUTCOMES
};

#define CASE_TEXT 1024

struct row {
	const char *input;
	const char *change;
	u64 count;
	void *context;
	/* In @why, for OUTCOME_FAILED: what went wrong. */
	enum outcome (*run)(void *context, u64 number, char why[CASE_TEXT]);
	/* Which byte is changed, and how. */
	void (*describe)(void *context, u64 number, char text[CASE_TEXT]);
};

/* Runs the row, prints its line of the table and its failures; returns the number of these. */
u64 row_run(const struct row *row);

/* The ways a byte is changed. */
#define PATTERNS 4u

u8 pattern_apply(u32 pattern, u8 byte, u64 place);
const char *pattern_text(u32 pattern);

#endif
