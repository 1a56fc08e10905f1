// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees that are sound as blocks and say impossible things: found by fuzzing, kept as tests.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "format/ondisk.h"
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
	scp_checksum(SCP_CSUM_CRC32C, page + SCP_CSUM_FIELD, IMAGE_PAGE - SCP_CSUM_FIELD, page);
}

static bool is_leaf(const u8 *page, const u8 *fsid)
{
	const struct scp_disk_header *header = (const void *)page;

	return !memcmp(header->fsid, fsid, SCP_UUID_SIZE) && !header->level;
}

static struct scp_disk_item *item_in(u8 *page, u64 objectid, u8 type)
{
	struct scp_disk_header *header = (void *)page;
	struct scp_disk_item *items = (void *)(header + 1);
	u32 i;

	for (i = 0; i < le32_to_cpu(header->nritems); i++)
		if (le64_to_cpu(items[i].key.objectid) == objectid && items[i].key.type == type &&
		    le64_to_cpu(header->owner) >= SCP_FIRST_FREE_ID)
			return &items[i];
	return NULL;
}

/* Takes the leaf with the first item of that kind; it is in all subvolumes of the image. */
static struct scp_disk_item *forge(const struct sending *sending, struct forgery *forgery,
				   u64 objectid, u8 type)
{
	const u8 *fsid = sending->image->pages[SCP_SUPER_OFFSET_0 / IMAGE_PAGE] + SCP_CSUM_FIELD;
	struct scp_disk_item *item;
	u64 i;

	for (i = 0; i < sending->image->count; i++) {
		if (!sending->image->pages[i] || !is_leaf(sending->image->pages[i], fsid))
			continue;
		memcpy(forgery->page, sending->image->pages[i], IMAGE_PAGE);
		forgery->index = i;
		item = item_in(forgery->page, objectid, type);
		if (item)
			return item;
	}
	fail_msg("the image has no such item");
	return NULL;
}

/* The stream up to its failure, which leaves a good checkpoint; returns the reason. */
static enum scp_reason send_forged(const struct sending *sending, struct forgery *forgery)
{
	struct scp_request request = request_of(1, 0);
	struct bytes stream = { 0 }, checkpoint = { 0 };
	struct sending forged = { 0 };
	struct scp_engine *engine;
	enum scp_reason reason;
	bool end = false;
	int err = 0;

	seal(forgery->page);
	sending_open_again(&forged, sending);
	forged.host.overlay = forged_page;
	forged.host.overlay_context = forgery;
	engine = open_engine(&forged, &request);
	while (!err && !end) {
		err = fill_once(engine, scp_buffer_min(1), SCP_FILL_ONE_COMMAND, &stream, &end);
		take_checkpoint(engine, &checkpoint);
		scp_engine_close(rearmed_engine(&forged, &request, &checkpoint));
	}
	reason = err ? scp_engine_error(engine)->reason : SCP_NONE;
	scp_engine_close(engine);
	sending_close_again(&forged);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	return reason;
}

/* The inode would be sent, and not be found again from the checkpoint behind it. */
static void inode_item_with_an_offset_is_refused(void **state)
{
	struct forgery forgery;
	struct scp_disk_item *item = forge(*state, &forgery, 300, SCP_INODE_ITEM);

	item->key.offset = cpu_to_le64(7);
	assert_int_equal(send_forged(*state, &forgery), SCP_ITEM_FORMAT);
}

static void untouched_leaf_is_sent(void **state)
{
	struct forgery forgery;

	forge(*state, &forgery, 300, SCP_INODE_ITEM);
	assert_int_equal(send_forged(*state, &forgery), SCP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_leaf_is_sent),
		cmocka_unit_test(inode_item_with_an_offset_is_refused),
	};

	return cmocka_run_group_tests(tests, sending_setup_tiny, sending_teardown);
}
