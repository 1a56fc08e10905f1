/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers between two threads: nothing lost, nothing twice, in order, and both ends can stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pthread.h>

#include "transfer/pipeline.h"

#define MANY 20000u

static void *fill_many(void *argument)
{
	struct pipeline *pipeline = argument;
	struct batch *batch;

	for (u64 i = 0; i < MANY; i++) {
		batch = pipeline_take_free(pipeline);
		if (!batch)
			break;
		batch->stream_offset = i;
		sendcp_put_le64(batch->data, i);
		pipeline_put_filled(pipeline, batch);
	}
	pipeline_finish(pipeline);
	return NULL;
}

static void run_with(size_t buffers)
{
	struct pipeline *pipeline = pipeline_create(buffers, 4096);
	struct batch *batch;
	pthread_t thread;
	u64 count = 0;

	assert_int_equal(pthread_create(&thread, NULL, fill_many, pipeline), 0);
	while ((batch = pipeline_take_filled(pipeline))) {
		assert_int_equal(batch->stream_offset, count);
		assert_true(sendcp_get_le64(batch->data) == count);
		count++;
		pipeline_put_free(pipeline, batch);
	}
	assert_int_equal(count, MANY);
	pthread_join(thread, NULL);
	pipeline_free(pipeline);
}

static void all_batches_arrive_in_order(void **state)
{
	run_with(1);
	run_with(2);
	run_with(7);
}

static void the_writer_can_stop(void **state)
{
	struct pipeline *pipeline = pipeline_create(2, 4096);
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fill_many, pipeline), 0);
	for (unsigned int i = 0; i < 100; i++)
		pipeline_put_free(pipeline, pipeline_take_filled(pipeline));
	pipeline_stop(pipeline);
	pthread_join(thread, NULL);
	assert_null(pipeline_take_free(pipeline));
	pipeline_free(pipeline);
}

static void what_is_filled_is_taken_before_the_end(void **state)
{
	struct pipeline *pipeline = pipeline_create(2, 4096);

	pipeline_put_filled(pipeline, pipeline_take_free(pipeline));
	pipeline_finish(pipeline);
	assert_non_null(pipeline_take_filled(pipeline));
	assert_null(pipeline_take_filled(pipeline));
	pipeline_free(pipeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_batches_arrive_in_order),
		cmocka_unit_test(the_writer_can_stop),
		cmocka_unit_test(what_is_filled_is_taken_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
