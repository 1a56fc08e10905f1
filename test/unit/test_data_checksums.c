// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The platform's checksums against published test vectors, and what else the platform promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sendcp/ondisk.h>
#include <sendcp/platform.h>

static void assert_digest(u16 type, const char *text, const char *hex)
{
	u8 digest[32] = { 0 };
	char shown[65];
	size_t i;

	assert_int_equal(sendcp_checksum(type, text, strlen(text), digest), 0);
	for (i = 0; i < strlen(hex) / 2; i++)
		sprintf(shown + 2 * i, "%02x", digest[i]);
	assert_string_equal(shown, hex);
}

/* RFC 3720 B.4's check value, the xxHash, FIPS 180 and BLAKE2 authors' own vectors. */
static void test_vectors(void **state)
{
	assert_digest(SENDCP_CSUM_CRC32C, "123456789", "839206e3");
	assert_digest(SENDCP_CSUM_CRC32C, "", "00000000");
	assert_digest(SENDCP_CSUM_XXHASH64, "abc", "990977adf52cbc44");
	assert_digest(SENDCP_CSUM_XXHASH64, "", "99e9d85137db46ef");
	assert_digest(SENDCP_CSUM_SHA256, "abc",
		      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest(SENDCP_CSUM_BLAKE2B, "abc",
		      "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void test_unknown_type(void **state)
{
	u8 digest[32];

	assert_int_equal(sendcp_checksum(4, "x", 1, digest), -EINVAL);
	assert_int_equal(sendcp_checksum(0xffff, "x", 1, digest), -EINVAL);
}

/* Continued anywhere, and at any alignment, it is the same sum. */
static void test_crc_continued(void **state)
{
	u8 bytes[300];
	u32 whole;
	size_t cut;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 37 + 11);
	whole = sendcp_crc32c(0, bytes, sizeof(bytes));
	for (cut = 0; cut <= sizeof(bytes); cut++)
		assert_int_equal(sendcp_crc32c(sendcp_crc32c(0, bytes, cut), bytes + cut,
					       sizeof(bytes) - cut), whole);
	assert_int_equal(sendcp_crc32c(123, bytes, 0), 123);
}

static void test_memory(void **state)
{
	u8 *block = sendcp_zalloc(10);
	u8 *aligned = sendcp_alloc_aligned(5000);
	u8 *grown;
	size_t i;

	for (i = 0; i < 10; i++)
		assert_int_equal(block[i], 0);
	memcpy(block, "012345678", 10);
	grown = sendcp_realloc(block, 10, 100000);
	assert_string_equal(grown, "012345678");
	sendcp_free(grown);
	sendcp_free(NULL);
	assert_true(sendcp_is_aligned((uintptr_t)aligned, 4096));
	sendcp_free_aligned(aligned, 5000);
	sendcp_free_aligned(NULL, 0);
}

static void test_division(void **state)
{
	u32 rest;

	assert_true(sendcp_div(~0ULL, 3, &rest) == ~0ULL / 3);
	assert_int_equal(rest, 0);
	assert_true(sendcp_div((1ULL << 40) + 6, 7, &rest) == ((1ULL << 40) + 6) / 7);
	assert_int_equal(rest, ((1ULL << 40) + 6) % 7);
	assert_int_equal(sendcp_div(5, 6, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_unknown_type),
		cmocka_unit_test(test_crc_continued),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_division),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
