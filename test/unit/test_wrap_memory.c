// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What compressing is said to take of memory, and what libzstd takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <zstd.h>

#include <sendcp/platform.h>

#include "container/frames.h"

#define MIB (1ULL << 20)

/* The most that a context has while it compresses @size bytes that are half noise. */
static size_t real_memory(int level, unsigned int workers, size_t size)
{
	static unsigned int in[1 << 16], out[1 << 16];
	ZSTD_CCtx *context = ZSTD_createCCtx();
	unsigned int seed = 1;
	size_t most = 0, left = 1;

	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, (int)workers);
	for (size_t done = 0; left; done += sizeof(in)) {
		const bool end = done >= size;
		ZSTD_inBuffer from = { .src = in, .size = end ? 0 : sizeof(in) };

		for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++) {
			seed = seed * 1103515245 + 12345;
			in[i] = i / 16 % 2 ? seed >> 4 : 7;
		}
		do {
			ZSTD_outBuffer to = { .dst = out, .size = sizeof(out) };

			left = ZSTD_compressStream2(context, &to, &from,
						    end ? ZSTD_e_end : ZSTD_e_continue);
			assert_false(ZSTD_isError(left));
			most = sendcp_max(most, ZSTD_sizeof_CCtx(context));
		} while (end ? left : from.pos < from.size);
		left = !end || left;
	}
	ZSTD_freeCCtx(context);
	return most;
}

static void a_level_takes_no_more_than_said(void **state)
{
	for (int level = 1; level <= 19 && level <= ZSTD_maxCLevel(); level++) {
		size_t real = real_memory(level, 0, 1);

		assert_in_range(real, 1, frames_memory(level, 0));
		/* Nor much less, or a run would be refused for nothing. */
		assert_true(frames_memory(level, 0) < 2 * real + 2 * MIB);
	}
	/* Libraries may have more levels one day. */
	assert_int_equal(frames_memory(99, 0), frames_memory(22, 0));
}

static void threads_take_no_more_than_said(void **state)
{
	static const int levels[] = { 1, 3 };

	for (unsigned int workers = 1; workers <= 4; workers *= 2)
		for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
			size_t real = real_memory(levels[i], workers, 48 * MIB);

			/* A library without threads has none. */
			assert_in_range(real, 1, frames_memory(levels[i], workers));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_takes_no_more_than_said),
		cmocka_unit_test(threads_take_no_more_than_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
