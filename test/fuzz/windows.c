// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zstd frames with large windows are refused earlier than sendcp does, so that the memory limit of
 * a run catches other allocations. Linked with --wrap.
 */
#include <zstd.h>

#define WINDOW_LOG_MAX 22

ZSTD_DStream *__real_ZSTD_createDStream(void);
ZSTD_DStream *__wrap_ZSTD_createDStream(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);

ZSTD_DStream *__wrap_ZSTD_createDStream(void)
{
	ZSTD_DStream *stream = __real_ZSTD_createDStream();

	if (stream)
		ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return stream;
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
	ZSTD_DCtx *context = __real_ZSTD_createDCtx();

	if (context)
		ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return context;
}
