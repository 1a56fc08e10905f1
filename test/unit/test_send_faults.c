// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Failing reads, interruptions and lack of memory: wherever they strike, nothing is lost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sending.h"

/* Allocations still to succeed before one fails: the linker puts these before the real ones. */
static u64 allocations = NEVER;

void *__real_sendcp_alloc(size_t size);
void *__real_sendcp_zalloc(size_t size);
void *__real_sendcp_realloc(void *block, size_t old, size_t size);
void *__real_sendcp_alloc_aligned(size_t size);
void *__wrap_sendcp_alloc(size_t size);
void *__wrap_sendcp_zalloc(size_t size);
void *__wrap_sendcp_realloc(void *block, size_t old, size_t size);
void *__wrap_sendcp_alloc_aligned(size_t size);

static bool allocation_fails(void)
{
	return allocations != NEVER && !allocations--;
}

void *__wrap_sendcp_alloc(size_t size)
{
	return allocation_fails() ? NULL : __real_sendcp_alloc(size);
}

void *__wrap_sendcp_zalloc(size_t size)
{
	return allocation_fails() ? NULL : __real_sendcp_zalloc(size);
}

void *__wrap_sendcp_realloc(void *block, size_t old, size_t size)
{
	return allocation_fails() ? NULL : __real_sendcp_realloc(block, old, size);
}

void *__wrap_sendcp_alloc_aligned(size_t size)
{
	return allocation_fails() ? NULL : __real_sendcp_alloc_aligned(size);
}

/* An armed fault: after @calls good calls the next one goes wrong, once. */
struct fault {
	void (*arm)(struct sending *sending, u64 calls);
	/* Did it strike? */
	bool (*struck)(const struct sending *sending);
	void (*disarm)(struct sending *sending);
	int err;
};

static void arm_read(struct sending *sending, u64 calls)
{
	sending->host.fail_read = calls;
}

static bool read_struck(const struct sending *sending)
{
	return sending->host.fail_read == NEVER;
}

static void arm_interrupt(struct sending *sending, u64 calls)
{
	sending->host.interrupt = calls;
}

static bool interrupt_struck(const struct sending *sending)
{
	return sending->host.interrupt == NEVER;
}

static void arm_memory(struct sending *sending, u64 calls)
{
	allocations = calls;
}

static bool memory_struck(const struct sending *sending)
{
	return allocations == NEVER;
}

static void disarm(struct sending *sending)
{
	sending->host.fail_read = NEVER;
	sending->host.interrupt = NEVER;
	allocations = NEVER;
}

static const struct fault read_fault = { arm_read, read_struck, disarm, -EIO };
static const struct fault interruption = { arm_interrupt, interrupt_struck, disarm, -EINTR };
static const struct fault no_memory = { arm_memory, memory_struck, disarm, -ENOMEM };

/* The engine after a failure: its checkpoint is good, and it says why it failed. */
static void check_failed(struct sending *sending, const struct sendcp_request *request,
			 struct sendcp_engine *engine, int err, const struct fault *fault,
			 const struct bytes *stream)
{
	struct bytes checkpoint = { 0 };

	assert_int_equal(err, fault->err);
	assert_int_equal(sendcp_engine_error(engine)->err, fault->err);
	assert_int_equal(sendcp_engine_offset(engine), stream->size);
	take_checkpoint(engine, &checkpoint);
	sendcp_engine_close(rearmed_engine(sending, request, &checkpoint));
	bytes_free(&checkpoint);
}

/* Fills to the end in spite of one fault after @calls calls. False: the fault never struck. */
static bool send_with_fault(struct sending *sending, const struct sendcp_request *request,
			    const struct fault *fault, u64 calls, struct bytes *stream)
{
	struct sendcp_engine *engine = open_engine(sending, request);
	u32 flags = calls % 2 ? SENDCP_FILL_ONE_COMMAND : 0;
	bool end = false;
	bool struck;
	int err;

	fault->arm(sending, calls);
	while (!end) {
		err = fill_once(engine, sendcp_buffer_min(request->protocol), flags, stream, &end);
		if (!err)
			continue;
		assert_true(fault->struck(sending));
		fault->disarm(sending);
		check_failed(sending, request, engine, err, fault, stream);
	}
	struck = fault->struck(sending);
	fault->disarm(sending);
	sendcp_engine_close(engine);
	return struck;
}

/* Lets the fault strike at each place there is, or at a step between them. */
static void everywhere(const struct sending *sending, const struct fault *fault, u64 step)
{
	u32 i;

	for (i = 0; i < sending->request_count; i++) {
		struct bytes whole = { 0 }, stream = { 0 };
		bool struck = true;
		u64 calls;

		whole_stream(sending, &sending->requests[i], &whole);
		for (calls = i % step; struck; calls += step) {
			/* Nothing is cached, so that everything has to be read. */
			struct sending cold = { 0 };

			sending_open_again(&cold, sending);
			stream.size = 0;
			struck = send_with_fault(&cold, &sending->requests[i], fault, calls,
						 &stream);
			assert_bytes_equal(&whole, &stream);
			sending_close_again(&cold);
		}
		assert_true(calls > 3);
		bytes_free(&whole);
		bytes_free(&stream);
	}
}

static void failed_reads_lose_nothing(void **state)
{
	everywhere(*state, &read_fault, 1);
}

static void interruptions_lose_nothing(void **state)
{
	everywhere(*state, &interruption, 23);
}

static void every_interruption_loses_nothing(void **state)
{
	everywhere(*state, &interruption, 1);
}

static void lack_of_memory_loses_nothing(void **state)
{
	everywhere(*state, &no_memory, 1);
}

/* A window of names is made from the state before the names: a fault must not lose that either. */
static void faults_in_windows_lose_nothing(void **state)
{
	static const struct fault *const faults[] = { &read_fault, &interruption, &no_memory };
	struct sendcp_request request = request_of(1, 0);
	struct bytes whole = { 0 }, stream = { 0 };
	struct sending *sending = *state;
	size_t f;
	u64 calls;

	whole_stream(sending, &request, &whole);
	for (f = 0; f < ARRAY_SIZE(faults); f++) {
		for (calls = 3; calls < 100000; calls = calls * 3 / 2 + 7) {
			struct sending cold = { 0 };

			sending_open_again(&cold, sending);
			stream.size = 0;
			send_with_fault(&cold, &request, faults[f], calls, &stream);
			assert_bytes_equal(&whole, &stream);
			sending_close_again(&cold);
		}
	}
	bytes_free(&whole);
	bytes_free(&stream);
}

/* Opening the volume and the engine with every read and every allocation failing in turn. */
static void opening_fails_cleanly(void **state)
{
	static const struct fault *const faults[] = { &read_fault, &no_memory };
	struct sending *sending = *state;
	const struct sendcp_request *last;
	struct sendcp_engine *engine;
	struct sending cold = { .image = sending->image };
	struct sendcp_error error;
	size_t f;
	u64 calls;
	int err;

	for (f = 0; f < ARRAY_SIZE(faults); f++) {
		err = -1;
		for (calls = 0; err; calls++) {
			assert_int_equal(image_host_init(&cold.host, cold.image), 0);
			faults[f]->arm(&cold, calls);
			err = image_host_open(&cold.host, &cold.volume, &error);
			if (!err) {
				last = &sending->requests[sending->request_count - 1];
				err = sendcp_engine_open(cold.volume, last, &engine, &error);
				if (!err)
					sendcp_engine_close(engine);
				image_host_close(&cold.host, cold.volume);
			}
			if (err)
				assert_int_equal(err, faults[f]->err);
			else if (faults[f]->struck(&cold))
				/* Another superblock served. */
				err = -1;
			faults[f]->disarm(&cold);
			image_host_release(&cold.host);
		}
		assert_true(calls > 3);
	}
}

/* An interrupted measure is resumed where it was. */
static void interrupted_measure_goes_on(void **state)
{
	struct sending *sending = *state;
	struct sendcp_request request = request_of(2, SENDCP_SEND_COMPRESSED);
	struct sendcp_engine *engine = open_engine(sending, &request);
	struct bytes whole = { 0 };
	u32 interrupted = 0;
	u64 size = 0;
	bool end = false;
	int err;

	whole_stream(sending, &request, &whole);
	while (!end) {
		sending->host.interrupt = 5;
		err = sendcp_engine_measure(engine, ~0ULL, &size, &end);
		if (err) {
			assert_int_equal(err, -EINTR);
			interrupted++;
		}
	}
	disarm(sending);
	assert_true(interrupted > 10);
	assert_int_equal(size, whole.size);
	sendcp_engine_close(engine);
	bytes_free(&whole);
}

int main(void)
{
	const struct CMUnitTest full[] = {
		cmocka_unit_test(opening_fails_cleanly),
		cmocka_unit_test(failed_reads_lose_nothing),
		cmocka_unit_test(interruptions_lose_nothing),
		cmocka_unit_test(lack_of_memory_loses_nothing),
		cmocka_unit_test(interrupted_measure_goes_on),
	};
	const struct CMUnitTest incremental[] = {
		cmocka_unit_test(opening_fails_cleanly),
		cmocka_unit_test(failed_reads_lose_nothing),
		cmocka_unit_test(interruptions_lose_nothing),
		cmocka_unit_test(lack_of_memory_loses_nothing),
	};
	const struct CMUnitTest moves[] = {
		cmocka_unit_test(failed_reads_lose_nothing),
		cmocka_unit_test(every_interruption_loses_nothing),
		cmocka_unit_test(lack_of_memory_loses_nothing),
	};
	const struct CMUnitTest links[] = {
		cmocka_unit_test(faults_in_windows_lose_nothing),
	};
	int failed;

	failed = cmocka_run_group_tests(full, sending_setup_tiny, sending_teardown);
	failed += cmocka_run_group_tests(incremental, sending_setup_changes, sending_teardown);
	failed += cmocka_run_group_tests(moves, sending_setup_moves, sending_teardown);
	return failed + cmocka_run_group_tests(links, sending_setup_links, sending_teardown);
}
