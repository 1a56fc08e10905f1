// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams that equal what `btrfs send` of kernel 6.18 made of the same snapshots, byte by byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "format/ondisk.h"
#include "sending.h"

#define DIGEST_SIZE 32u

/* SHA-256 of the native stream: what sha256sum(1) says of the output of btrfs send. */
struct native {
	u32 protocol;
	u32 flags;
	const char *digest;
};

static void compare(const struct sending *sending, const struct native *native)
{
	struct scp_request request = request_of(native->protocol, native->flags);
	char text[2 * DIGEST_SIZE + 1];
	struct bytes stream = { 0 };
	u8 digest[DIGEST_SIZE];
	u32 i;

	make_stream(sending, &request, &stream);
	assert_int_equal(scp_checksum(SCP_CSUM_SHA256, stream.data, stream.size, digest), 0);
	for (i = 0; i < DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, native->digest);
	bytes_free(&stream);
}

static void tiny_is_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, "44eb259f80411c09c93b325fea1109e62ca073be9232cb88dcd2a2ba757961d5" },
		{ 2, SCP_SEND_COMPRESSED,
		  "f48c55d16318b21d886c3486204eecc76f101d89c55dee2aab0854b736bdf388" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

static void links_are_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, "d37c2af0132f61ede1afddd5b0ac1ce9f351879759d8950cff0450be2ffea1de" },
		{ 2, SCP_SEND_COMPRESSED,
		  "c45260e6949ed0cf49b9f66da4e31ab8ab85b5378598b265cd0750bdd37efb5a" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

int main(void)
{
	const struct CMUnitTest tiny[] = { cmocka_unit_test(tiny_is_native) };
	const struct CMUnitTest links[] = { cmocka_unit_test(links_are_native) };
	int failed;

	failed = cmocka_run_group_tests(tiny, sending_setup_tiny, sending_teardown);
	return failed + cmocka_run_group_tests(links, sending_setup_links, sending_teardown);
}
