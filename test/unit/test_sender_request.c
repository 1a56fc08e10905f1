// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The request for a subvolume as the module gets it: open files in place of ids.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "backend/internal.h"
#include "journal/format.h"
#include "job/send_job.h"

static const struct source_kind direct_kind = { .name = "direct" };

/* Two subvolumes to be sent, two clone sources, three devices. */
struct case_ {
	struct sendcp_source source;
	struct device devices[3];
	struct sendcp_subvolume subvolumes[2];
	struct sendcp_subvolume clone_sources[2];
	u64 parents[2];
	u64 ids[4];
	struct send_job job;
};

static struct case_ one;

static int setup(void **state)
{
	one = (struct case_){
		.source = { .kind = &direct_kind },
		.devices = { { .fd = 10 }, { .fd = 11 }, { .fd = 12 } },
		.subvolumes = { { .id = 300, .fd = 20 }, { .id = 301, .fd = 21 } },
		.clone_sources = { { .id = 256, .fd = 30 }, { .id = 257, .fd = 31 } },
		.ids = { 256, 257, 300, 301 },
	};
	one.source.devices.devices = one.devices;
	one.source.devices.count = 3;
	one.job = (struct send_job){
		.source = &one.source,
		.subvolumes = one.subvolumes,
		.parents = one.parents,
		.count = 2,
		.clone_sources = one.clone_sources,
		.clone_count = 2,
		.source_ids = one.ids,
		.protocol = 2,
		.flags = SENDCP_SEND_COMPRESSED,
	};
	return 0;
}

static int make_request(size_t index, struct module_request *request, struct sendcp_error *error)
{
	struct sender_input input;

	send_job_input(&one.job, index, &input);
	return sendcp_module_request_make(&input, request, error);
}

static void files_in_their_order(void **state)
{
	struct module_request request;
	struct sendcp_error error;

	assert_int_equal(make_request(1, &request, &error), 0);
	assert_int_equal(request.protocol, 2);
	assert_int_equal(request.flags, SENDCP_COMPRESSED);
	assert_int_equal(request.subvolume_fd, 21);
	assert_int_equal(request.parent_fd, -1);
	assert_int_equal(request.device_count, 3);
	assert_int_equal(request.device_fds[0], 10);
	assert_int_equal(request.device_fds[2], 12);
	assert_int_equal(request.clone_count, 2);
	assert_int_equal(request.clone_fds[0], 30);
	assert_int_equal(request.clone_fds[1], 31);
	sendcp_module_request_release(&request);
}

static void the_parent_is_a_clone_source(void **state)
{
	struct module_request request;
	struct sendcp_error error;

	one.parents[0] = 257;
	assert_int_equal(make_request(0, &request, &error), 0);
	assert_int_equal(request.parent_fd, 31);
	sendcp_module_request_release(&request);
}

static void what_was_sent_is_a_clone_source(void **state)
{
	struct module_request request;
	struct sendcp_error error;

	one.job.sources_grow = true;
	one.parents[1] = 300;
	assert_int_equal(make_request(1, &request, &error), 0);
	assert_int_equal(request.parent_fd, 20);
	assert_int_equal(request.clone_count, 3);
	assert_int_equal(request.clone_fds[2], 20);
	sendcp_module_request_release(&request);
}

static void a_parent_nobody_opened(void **state)
{
	struct module_request request;
	struct sendcp_error error;

	one.parents[0] = 999;
	assert_int_equal(make_request(0, &request, &error), -ENOENT);
	assert_int_equal(error.reason, SENDCP_ERR_MODULE);
}

static void one_header_and_one_end(void **state)
{
	struct module_request request;
	struct sendcp_error error;

	one.job.one_end = true;
	assert_int_equal(make_request(0, &request, &error), 0);
	assert_int_equal(request.flags, SENDCP_COMPRESSED | SENDCP_OMIT_END);
	sendcp_module_request_release(&request);
	assert_int_equal(make_request(1, &request, &error), 0);
	assert_int_equal(request.flags, SENDCP_COMPRESSED | SENDCP_OMIT_HEADER);
	sendcp_module_request_release(&request);
}

static void the_source_says_who_sends(void **state)
{
	assert_string_equal(sendcp_source_kind(&one.source), "direct");
	assert_null(sendcp_source_module(&one.source));
	sendcp_source_use_module(&one.source, &sendcp_module_device);
	assert_string_equal(sendcp_source_kind(&one.source), "module");
	assert_string_equal(sendcp_source_module(&one.source)->path, "/dev/sendcp");
}

/* The journal has it, and any of them is read back. */
static void the_sidecar_says_who_sent(void **state)
{
	static const char *const names[] = { "direct", "module", "image" };
	struct identity identity = { .spec = "s", .path = "/s" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct journal_header header = {
			.tool = "t",
			.module = i == 1,
			.image = i == 2,
			.subvolumes = { .identities = &identity, .count = 1 },
		};
		struct json_object *object = journal_header_json(&header);
		struct journal_header back;

		assert_string_equal(journal_backend(&header), names[i]);
		assert_int_equal(journal_header_parse(object, &back), 0);
		assert_string_equal(journal_backend(&back), names[i]);
		journal_header_clear(&back);
		json_object_put(object);
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(files_in_their_order),
		T(the_parent_is_a_clone_source),
		T(what_was_sent_is_a_clone_source),
		T(a_parent_nobody_opened),
		T(one_header_and_one_end),
		T(the_source_says_who_sends),
		T(the_sidecar_says_who_sent),
	};

	return cmocka_run_group_tests_name("sender_request", tests, NULL, NULL);
}
