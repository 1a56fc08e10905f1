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
#include <sendcp/ondisk.h>

#include "sending.h"

#define DIGEST_SIZE 32u

/* SHA-256 of the native stream: sha256sum(1) of the output of btrfs send. */
struct native {
	u32 protocol;
	u32 flags;
	u64 parent;
	const char *digest;
};

static void compare(const struct sending *sending, const struct native *native)
{
	struct sendcp_request request = request_of(native->protocol, native->flags);
	char text[2 * DIGEST_SIZE + 1];
	struct bytes stream = { 0 };
	u8 digest[DIGEST_SIZE];
	u32 i;

	/* Backwards. */
	if (native->parent == IMAGE_SNAP)
		request.subvolume = IMAGE_OLDER;
	/* As btrfs send has it, what may be cloned from includes the parent. */
	request.parent = native->parent;
	request.clone_sources = &native->parent;
	request.clone_count = !!native->parent;
	whole_stream(sending, &request, &stream);
	assert_int_equal(sendcp_checksum(SENDCP_CSUM_SHA256, stream.data, stream.size, digest), 0);
	for (i = 0; i < DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, native->digest);
	bytes_free(&stream);
}

static void tiny_is_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, 0, "44eb259f80411c09c93b325fea1109e62ca073be9232cb88dcd2a2ba757961d5" },
		{ 2, SENDCP_SEND_COMPRESSED, 0,
		  "f48c55d16318b21d886c3486204eecc76f101d89c55dee2aab0854b736bdf388" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

static void links_are_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, 0, "d37c2af0132f61ede1afddd5b0ac1ce9f351879759d8950cff0450be2ffea1de" },
		{ 2, SENDCP_SEND_COMPRESSED, 0,
		  "c45260e6949ed0cf49b9f66da4e31ab8ab85b5378598b265cd0750bdd37efb5a" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

static void changes_are_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, 0, "80c01633661748735d3668141b244857020cd23d5dff4d0994d524588ab183e8" },
		{ 1, 0, IMAGE_OLDER,
		  "70f15b809bbf8f3c9f986812ea1d9e3ffd0aa20a6047ce57ca3abd31c76acda2" },
		{ 2, SENDCP_SEND_COMPRESSED, 0,
		  "5da1eb62b4c193493d5c00d8e2497559951278e877cfd57b539da3804573193f" },
		{ 2, SENDCP_SEND_COMPRESSED, IMAGE_OLDER,
		  "985c2515c2bf00099df783fb103cb6d89cd7af049f5d3186e8ebbcf84924443d" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

static void moves_are_native(void **state)
{
	static const struct native streams[] = {
		{ 1, 0, IMAGE_OLDER,
		  "2613b3250353b4227e53929105e1af6d87512244e2ac8b995a9bb1b286cf592e" },
		{ 2, SENDCP_SEND_COMPRESSED, IMAGE_OLDER,
		  "dc91a32cb5fc814680ed3f96dc38fe3eec600f03c3a284d0cba5e6b89197682c" },
		{ 1, 0, IMAGE_SNAP,
		  "97b6ca7cb3a26589c651db91b0b675ab1dcf6a06e12472415b072c48cd35a01b" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		compare(*state, &streams[i]);
}

int main(void)
{
	const struct CMUnitTest tiny[] = { cmocka_unit_test(tiny_is_native) };
	const struct CMUnitTest links[] = { cmocka_unit_test(links_are_native) };
	const struct CMUnitTest changes[] = { cmocka_unit_test(changes_are_native) };
	const struct CMUnitTest moves[] = { cmocka_unit_test(moves_are_native) };
	int failed;

	failed = cmocka_run_group_tests(changes, sending_setup_changes, sending_teardown);
	failed += cmocka_run_group_tests(moves, sending_setup_moves, sending_teardown);
	failed += cmocka_run_group_tests(tiny, sending_setup_tiny, sending_teardown);
	return failed + cmocka_run_group_tests(links, sending_setup_links, sending_teardown);
}
