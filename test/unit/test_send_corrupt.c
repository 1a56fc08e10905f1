// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees that are sound as blocks and say what no current kernel writes: found by fuzzing, kept as
 * tests; and empty ACLs, which only old kernels stored.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sendcp/ondisk.h>
#include <sendcp/stream.h>

#include "send/engine_private.h"
#include "send/identity.h"
#include "sending.h"

/* One page of the image in place of which another one is read. */
struct forgery {
	u64 index;
	u8 page[IMAGE_PAGE];
};

static const u8 *forged_page(void *context, u64 index)
{
	const struct forgery *forgery = context;

	return index == forgery->index ? forgery->page : NULL;
}

static void seal(u8 *page)
{
	sendcp_checksum(SENDCP_CSUM_CRC32C, page + SENDCP_CSUM_FIELD,
			IMAGE_PAGE - SENDCP_CSUM_FIELD, page);
}

static bool is_leaf(const u8 *page, const u8 *fsid)
{
	const struct sendcp_disk_header *header = (const void *)page;

	return !memcmp(header->fsid, fsid, SENDCP_UUID_SIZE) && !header->level;
}

/* The first item of that type with at least @least bytes. @objectid 0: any. */
static struct sendcp_disk_item *item_in(u8 *page, u64 objectid, u8 type, u32 least)
{
	struct sendcp_disk_header *header = (void *)page;
	struct sendcp_disk_item *items = (void *)(header + 1);
	u32 i;

	for (i = 0; i < le32_to_cpu(header->nritems); i++)
		if ((!objectid || le64_to_cpu(items[i].key.objectid) == objectid) &&
		    items[i].key.type == type && le32_to_cpu(items[i].size) >= least &&
		    le64_to_cpu(header->owner) >= SENDCP_FIRST_FREE_ID)
			return &items[i];
	return NULL;
}

/* Takes the leaf with the first item of that kind; it is in all subvolumes of the image. */
static struct sendcp_disk_item *forge(const struct sending *sending, struct forgery *forgery,
				      u64 objectid, u8 type, u32 least)
{
	const u8 *fsid = sending->image->pages[SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE] +
		SENDCP_CSUM_FIELD;
	struct sendcp_disk_item *item;
	u64 i;

	for (i = 0; i < sending->image->count; i++) {
		if (!sending->image->pages[i] || !is_leaf(sending->image->pages[i], fsid))
			continue;
		memcpy(forgery->page, sending->image->pages[i], IMAGE_PAGE);
		forgery->index = i;
		item = item_in(forgery->page, objectid, type, least);
		if (item)
			return item;
	}
	fail_msg("the image has no such item");
	return NULL;
}

/* The stream up to its failure, which leaves a good checkpoint; returns the reason. */
static enum sendcp_reason send_forged(const struct sending *sending, struct forgery *forgery,
				      struct bytes *stream)
{
	struct sendcp_request request = request_of(1, 0);
	struct bytes checkpoint = { 0 };
	struct sending forged = { 0 };
	struct sendcp_engine *engine;
	enum sendcp_reason reason;
	bool end = false;
	int err = 0;

	seal(forgery->page);
	sending_open_again(&forged, sending);
	forged.host.overlay = forged_page;
	forged.host.overlay_context = forgery;
	engine = open_engine(&forged, &request);
	while (!err && !end) {
		err = fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND, stream,
				&end);
		take_checkpoint(engine, &checkpoint);
		sendcp_engine_close(rearmed_engine(&forged, &request, &checkpoint));
	}
	reason = err ? sendcp_engine_error(engine)->reason : SENDCP_ERR_NONE;
	sendcp_engine_close(engine);
	sending_close_again(&forged);
	bytes_free(&checkpoint);
	return reason;
}

static void assert_sent_until(const struct sending *sending, struct forgery *forgery,
			      enum sendcp_reason reason)
{
	struct bytes stream = { 0 };

	assert_int_equal(send_forged(sending, forgery, &stream), reason);
	bytes_free(&stream);
}

/* The inode would be sent, and not be found again from the checkpoint after it. */
static void inode_item_with_an_offset_is_refused(void **state)
{
	struct forgery forgery;
	struct sendcp_disk_item *item = forge(*state, &forgery, 300, SENDCP_INODE_ITEM, 0);

	item->key.offset = cpu_to_le64(7);
	assert_sent_until(*state, &forgery, SENDCP_ERR_ITEM_FORMAT);
}

static void untouched_leaf_is_sent(void **state)
{
	struct forgery forgery;

	forge(*state, &forgery, 300, SENDCP_INODE_ITEM, 0);
	assert_sent_until(*state, &forgery, SENDCP_ERR_NONE);
}

static void *item_data(struct forgery *forgery, const struct sendcp_disk_item *item)
{
	return forgery->page + sizeof(struct sendcp_disk_header) + le32_to_cpu(item->offset);
}

/* The command would be TRUNCATE to a size that no receiver can have. */
static void a_size_that_no_file_has_is_refused(void **state)
{
	struct forgery forgery;
	/* No symlink's is so long. */
	struct sendcp_disk_item *item = forge(*state, &forgery, 0, SENDCP_EXTENT_DATA, 100);
	struct sendcp_disk_inode *inode;

	item = item_in(forgery.page, le64_to_cpu(item->key.objectid), SENDCP_INODE_ITEM, 0);
	assert_non_null(item);
	inode = item_data(&forgery, item);
	assert_true(S_ISREG(le32_to_cpu(inode->mode)));
	inode->size = cpu_to_le64(1ULL << 63);
	assert_sent_until(*state, &forgery, SENDCP_ERR_ITEM_FORMAT);
}

/* Takes the leaf with the root directory of IMAGE_BASE, and so of IMAGE_SNAP: the newer one. */
static struct sendcp_disk_inode *forge_root(const struct sending *sending, struct forgery *forgery)
{
	const u8 *fsid = sending->image->pages[SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE] +
		SENDCP_CSUM_FIELD;
	u64 generation = 0;

	for (u64 i = 0; i < sending->image->count; i++) {
		u8 *page = sending->image->pages[i];
		const struct sendcp_disk_header *header = (const void *)page;

		if (!page || !is_leaf(page, fsid) || le64_to_cpu(header->owner) != IMAGE_BASE ||
		    !item_in(page, SENDCP_ROOT_DIR_ID, SENDCP_INODE_ITEM, 0) ||
		    le64_to_cpu(header->generation) < generation)
			continue;
		generation = le64_to_cpu(header->generation);
		memcpy(forgery->page, page, IMAGE_PAGE);
		forgery->index = i;
	}
	assert_int_not_equal(generation, 0);
	return item_data(forgery, item_in(forgery->page, SENDCP_ROOT_DIR_ID, SENDCP_INODE_ITEM, 0));
}

/* Nothing of a directory's size is sent, and kernels have left wrong ones, below zero, too. */
static void any_size_of_a_directory_is_sent(void **state)
{
	struct bytes right = { 0 };
	struct bytes stream = { 0 };
	struct forgery forgery;
	struct sendcp_disk_inode *inode = forge_root(*state, &forgery);

	assert_int_equal(send_forged(*state, &forgery, &right), SENDCP_ERR_NONE);
	inode->size = cpu_to_le64(~0ULL - 9);
	assert_int_equal(send_forged(*state, &forgery, &stream), SENDCP_ERR_NONE);
	assert_int_equal(stream.size, right.size);
	assert_memory_equal(stream.data, right.data, right.size);
	bytes_free(&right);
	bytes_free(&stream);
}

/* It would be taken for deleted, and created under the name of its item, "..". */
static void a_root_directory_without_links_is_refused(void **state)
{
	struct forgery forgery;
	struct sendcp_disk_inode *inode = forge_root(*state, &forgery);

	inode->nlink = 0;
	assert_sent_until(*state, &forgery, SENDCP_ERR_ITEM_FORMAT);
}

static void a_root_directory_that_is_a_file_is_refused(void **state)
{
	struct forgery forgery;
	struct sendcp_disk_inode *inode = forge_root(*state, &forgery);

	inode->mode = cpu_to_le32(0100644);
	assert_sent_until(*state, &forgery, SENDCP_ERR_ITEM_FORMAT);
}

/* Takes the page, and in it the place, where @text is. */
static u8 *forge_text(const struct sending *sending, struct forgery *forgery, const char *text)
{
	u8 *found;

	for (u64 i = 0; i < sending->image->count; i++) {
		if (!sending->image->pages[i] ||
		    !memmem(sending->image->pages[i], IMAGE_PAGE, text, strlen(text)))
			continue;
		memcpy(forgery->page, sending->image->pages[i], IMAGE_PAGE);
		forgery->index = i;
		found = memmem(forgery->page, IMAGE_PAGE, text, strlen(text));
		return found;
	}
	fail_msg("the image has no such text");
	abort();
}

static void a_symlink_with_a_zero_byte_in_its_target_is_refused(void **state)
{
	struct forgery forgery;

	forge_text(*state, &forgery, "../data/inline")[3] = 0;
	assert_sent_until(*state, &forgery, SENDCP_ERR_SYMLINK_FORMAT);
}

/* Tools that convert or make filesystems store what their own format has after the target. */
static void zero_bytes_after_a_target_are_sent(void **state)
{
	struct bytes stream = { 0 };
	struct forgery forgery;
	u8 target[14];

	memset(forge_text(*state, &forgery, "../data/inline") + 11, 0, 3);
	memcpy(target, "../data/inl\0\0", sizeof(target));
	assert_int_equal(send_forged(*state, &forgery, &stream), SENDCP_ERR_NONE);
	assert_non_null(memmem(stream.data, stream.size, target, sizeof(target)));
	bytes_free(&stream);
}

static void a_target_of_zero_bytes_is_refused(void **state)
{
	struct forgery forgery;

	memset(forge_text(*state, &forgery, "../data/inline"), 0, 14);
	assert_sent_until(*state, &forgery, SENDCP_ERR_SYMLINK_FORMAT);
}

static void an_attribute_with_a_zero_byte_in_its_name_is_refused(void **state)
{
	struct forgery forgery;
	struct sendcp_disk_item *item = forge(*state, &forgery, 0, SENDCP_XATTR_ITEM, 0);
	struct sendcp_disk_dir_item *entry = item_data(&forgery, item);

	((u8 *)(entry + 1))[5] = 0;
	assert_sent_until(*state, &forgery, SENDCP_ERR_ITEM_FORMAT);
}

/* One entry of an XATTR_ITEM at @to; returns its end. */
static u8 *put_entry(u8 *to, const char *name, u16 data_len)
{
	struct sendcp_disk_dir_item *entry = (void *)to;

	memset(entry, 0, sizeof(*entry));
	entry->type = 8;
	entry->name_len = cpu_to_le16(strlen(name));
	entry->data_len = cpu_to_le16(data_len);
	memcpy(entry + 1, name, strlen(name));
	memset((u8 *)(entry + 1) + strlen(name), 'd', data_len);
	return (u8 *)(entry + 1) + strlen(name) + data_len;
}

/* Is there a SET_XATTR of that name whose value is these bytes? */
static bool sets_xattr(const struct bytes *stream, const char *name, const void *value, u16 len)
{
	u8 wanted[128];
	size_t size = strlen(name);

	sendcp_put_le16(wanted, SENDCP_A_XATTR_NAME);
	sendcp_put_le16(wanted + 2, size);
	memcpy(wanted + 4, name, size);
	sendcp_put_le16(wanted + 4 + size, SENDCP_A_XATTR_DATA);
	sendcp_put_le16(wanted + 6 + size, len);
	if (len)
		memcpy(wanted + 8 + size, value, len);
	return memmem(stream->data, stream->size, wanted, 8 + size + len);
}

/* Deviation empty-acl-prefix: the two ACLs get a header, names that merely begin them do not. */
static void empty_acls_get_their_header(void **state)
{
	static const u8 header[4] = { 2, 0, 0, 0 };
	const u16 frame = sizeof(struct sendcp_disk_dir_item);
	struct bytes stream = { 0 };
	struct forgery forgery;
	struct sendcp_disk_item *item = forge(*state, &forgery, 0, SENDCP_XATTR_ITEM, 3000);
	u8 *at = forgery.page + sizeof(struct sendcp_disk_header) + le32_to_cpu(item->offset);
	u8 *end = at + le32_to_cpu(item->size);

	at = put_entry(at, "system.posix_acl_access", 0);
	at = put_entry(at, "system.posix_acl_default", 0);
	at = put_entry(at, "system.posix_acl", 0);
	put_entry(at, "user.rest", end - at - frame - strlen("user.rest"));
	assert_int_equal(send_forged(*state, &forgery, &stream), SENDCP_ERR_NONE);
	assert_true(sets_xattr(&stream, "system.posix_acl_access", header, 4));
	assert_true(sets_xattr(&stream, "system.posix_acl_default", header, 4));
	assert_true(sets_xattr(&stream, "system.posix_acl", NULL, 0));
	bytes_free(&stream);
}

/* @ino waits to be moved, and its turn has come. */
static void let_it_move(struct sendcp_engine *engine, u64 ino)
{
	struct sendcp_move move = {
		.dir.ino = ino,
		.blocked_on = 256,
		.queued = true,
		.orphanized = true,
	};

	assert_int_equal(sendcp_generation_in(engine, engine->tree, ino, &move.dir.generation), 0);
	assert_int_equal(sendcp_moves_add(&engine->deferred.moves, &move), 0);
	engine->state.phase = SENDCP_PHASE_FINISH_MOVES;
	engine->state.kind = SENDCP_KIND_NEW;
	engine->state.ino = ino + 1;
	engine->state.send_progress = ino + 1;
}

/* It would wait for itself for ever, and nothing would be sent that a caller could stop at. */
static void a_move_below_itself_is_refused(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct bytes stream = { 0 };
	struct sending forged = { 0 };
	struct forgery forgery;
	struct sendcp_disk_item *item = forge(*state, &forgery, 300, SENDCP_INODE_REF, 0);
	struct sendcp_engine *engine;
	bool end;

	item->key.offset = cpu_to_le64(300);
	seal(forgery.page);
	sending_open_again(&forged, *state);
	forged.host.overlay = forged_page;
	forged.host.overlay_context = &forgery;
	engine = open_engine(&forged, &request);
	let_it_move(engine, 300);
	assert_int_equal(fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end), -EIO);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_INCONSISTENT);
	assert_int_equal(stream.size, 0);
	sendcp_engine_close(engine);
	sending_close_again(&forged);
	bytes_free(&stream);
}

/* The number of an inode of that leaf that is a symlink, or 0. */
static u64 symlink_in(const u8 *leaf)
{
	const struct sendcp_disk_header *header = (const void *)leaf;
	const struct sendcp_disk_item *items = (const void *)(header + 1);

	if (le64_to_cpu(header->owner) < SENDCP_FIRST_FREE_ID)
		return 0;
	for (u32 n = 0; n < le32_to_cpu(header->nritems); n++) {
		const struct sendcp_disk_inode *inode = (const void *)
			((const u8 *)(header + 1) + le32_to_cpu(items[n].offset));

		if (items[n].key.type == SENDCP_INODE_ITEM && S_ISLNK(le32_to_cpu(inode->mode)))
			return le64_to_cpu(items[n].key.objectid);
	}
	return 0;
}

static u64 find_symlink(const struct image *image, const u8 *fsid)
{
	u64 found = 0;

	for (u64 i = 0; i < image->count && !found; i++)
		if (image->pages[i] && is_leaf(image->pages[i], fsid))
			found = symlink_in(image->pages[i]);
	assert_int_not_equal(found, 0);
	return found;
}

/*
 * A file whose name is in a symlink instead of a directory: btrfs receive would follow the link, to
 * any place that whoever made the image wants.
 */
static void a_name_in_a_symlink_is_refused(void **state)
{
	const struct sending *sending = *state;
	struct forgery forgery;
	struct sendcp_disk_item *item = forge(sending, &forgery, 300, SENDCP_INODE_REF, 0);
	const u8 *fsid = sending->image->pages[SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE] +
		SENDCP_CSUM_FIELD;

	item->key.offset = cpu_to_le64(find_symlink(sending->image, fsid));
	assert_sent_until(sending, &forgery, SENDCP_ERR_INCONSISTENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_leaf_is_sent),
		cmocka_unit_test(inode_item_with_an_offset_is_refused),
		cmocka_unit_test(a_size_that_no_file_has_is_refused),
		cmocka_unit_test(any_size_of_a_directory_is_sent),
		cmocka_unit_test(a_root_directory_without_links_is_refused),
		cmocka_unit_test(a_root_directory_that_is_a_file_is_refused),
		cmocka_unit_test(an_attribute_with_a_zero_byte_in_its_name_is_refused),
		cmocka_unit_test(a_symlink_with_a_zero_byte_in_its_target_is_refused),
		cmocka_unit_test(zero_bytes_after_a_target_are_sent),
		cmocka_unit_test(a_target_of_zero_bytes_is_refused),
		cmocka_unit_test(empty_acls_get_their_header),
		cmocka_unit_test(a_move_below_itself_is_refused),
		cmocka_unit_test(a_name_in_a_symlink_is_refused),
	};

	return cmocka_run_group_tests(tests, sending_setup_tiny, sending_teardown);
}
