// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of names: they find what is in them, and users cannot make that slow by choosing the names.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "send/reflist.h"

#define NAMES 4096u
#define LONGEST_CHAIN 32u

static u32 longest_chain(const struct sendcp_ref_list *list)
{
	u32 longest = 0;
	u32 length;
	u32 next;
	u32 i;

	for (i = 0; i < list->bucket_count; i++) {
		length = 0;
		for (next = list->buckets[i]; next; next = list->refs[next - 1].hash_next)
			length++;
		longest = sendcp_max(longest, length);
	}
	return longest;
}

static struct sendcp_ref ref_of(u64 dir, const char *name)
{
	struct sendcp_ref ref = { .dir = dir, .name = (const u8 *)name };

	ref.name_len = strlen(name);
	return ref;
}

static void check_found(struct sendcp_ref_list *list, u64 dir, const char *name)
{
	struct sendcp_ref ref = ref_of(dir, name);
	struct sendcp_listed_ref *found = sendcp_ref_list_find(list, &ref, 7);

	assert_non_null(found);
	assert_int_equal(found->dir, dir);
	assert_int_equal(found->name_len, ref.name_len);
	assert_memory_equal(sendcp_ref_list_name(list, found), name, ref.name_len);
	assert_null(sendcp_ref_list_find(list, &ref, 8));
}

/* Names whose CRC, with the directory's number as its seed, ends in 12 zeros. */
static void names_of_one_crc_do_not_collide(void **state)
{
	struct sendcp_ref_list list = { 0 };
	struct sendcp_ref ref;
	char name[16];
	u32 number;

	for (number = 0; list.count < NAMES; number++) {
		snprintf(name, sizeof(name), "%08x", number);
		if (sendcp_crc32c(256, name, 8) % NAMES)
			continue;
		ref = ref_of(256, name);
		assert_int_equal(sendcp_ref_list_add(&list, &ref, 7), 0);
		check_found(&list, 256, name);
	}
	assert_true(longest_chain(&list) < LONGEST_CHAIN);
	sendcp_ref_list_release(&list);
}

static void one_name_in_many_directories(void **state)
{
	struct sendcp_ref_list list = { 0 };
	struct sendcp_ref ref;
	u64 dir;

	for (dir = 256; dir < 256 + NAMES; dir++) {
		ref = ref_of(dir, "name");
		assert_int_equal(sendcp_ref_list_add(&list, &ref, 7), 0);
	}
	for (dir = 256; dir < 256 + NAMES; dir++)
		check_found(&list, dir, "name");
	assert_true(longest_chain(&list) < LONGEST_CHAIN);
	sendcp_ref_list_release(&list);
}

/* More than a chunk of them; what is cancelled is not found, and clearing forgets. */
static void names_of_all_lengths(void **state)
{
	struct sendcp_ref_list list = { 0 };
	char name[SENDCP_NAME_MAX + 1] = { 0 };
	struct sendcp_ref ref;
	u32 len;

	for (len = 1; len <= SENDCP_NAME_MAX; len++) {
		memset(name, 'n', len);
		ref = ref_of(300, name);
		assert_int_equal(sendcp_ref_list_add(&list, &ref, 7), 0);
	}
	assert_true(list.chunk_count > 1);
	for (len = SENDCP_NAME_MAX; len; len--) {
		name[len] = 0;
		check_found(&list, 300, name);
		ref = ref_of(300, name);
		sendcp_ref_list_cancel(&list, sendcp_ref_list_find(&list, &ref, 7));
		assert_null(sendcp_ref_list_find(&list, &ref, 7));
	}
	assert_int_equal(list.live, 0);
	sendcp_ref_list_clear(&list);
	assert_int_equal(sendcp_ref_list_add(&list, &ref, 7), 0);
	check_found(&list, 300, "n");
	sendcp_ref_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_one_crc_do_not_collide),
		cmocka_unit_test(one_name_in_many_directories),
		cmocka_unit_test(names_of_all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
