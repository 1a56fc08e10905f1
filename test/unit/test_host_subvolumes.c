// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding subvolumes, and what is refused, through both hosts.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/internal.h"
#include "loopfs.h"
#include "fs/fs.h"

static struct loopfs fs;
static struct loopfs other;

static int setup(void **state)
{
	loopfs_make(&fs, 1, 256, "");
	loopfs_mount(&fs, "");
	loopfs_run(&fs,
		   "btrfs -q subvolume create a; mkdir -p a/dir/deep; echo x > a/file\n"
		   "ln -s dir a/link; btrfs -q subvolume create a/dir/inner\n"
		   "btrfs -q subvolume snapshot -r a a.snap\n"
		   "btrfs -q subvolume snapshot -r a/dir/inner a/dir/deep/inner.snap\n"
		   "btrfs subvolume sync . >/dev/null; sync -f .");
	return 0;
}

static int teardown(void **state)
{
	loopfs_destroy(&fs);
	loopfs_destroy(&other);
	return 0;
}

static int find(struct sendcp_source *source, const char *spec, struct sendcp_subvolume *out)
{
	char path[400];

	if (!strcmp(sendcp_source_kind(source), "image"))
		return sendcp_source_find_subvolume(source, spec, out);
	snprintf(path, sizeof(path), "%s/%s", fs.mount, spec);
	return sendcp_source_find_subvolume(source, path, out);
}

/* Checks that hold for both kinds of source. */
static void check_paths(struct sendcp_source *source)
{
	static const char *const refused[] = {
		"nothing", "a/nothing", "a/dir", "a/file", "a/file/x", "a.snap/dir/inner",
	};
	struct sendcp_subvolume snap;
	struct sendcp_subvolume a;
	struct sendcp_subvolume inner;
	size_t i;

	assert_int_equal(find(source, "a", &a), 0);
	assert_int_equal(find(source, "a.snap", &snap), 0);
	assert_int_equal(find(source, "a//dir/./deep/inner.snap/", &inner), 0);
	assert_false(a.readonly);
	assert_true(snap.readonly);
	assert_true(inner.readonly);
	assert_memory_equal(snap.parent_uuid, a.uuid, 16);
	assert_true(a.id != snap.id && snap.id != inner.id);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct sendcp_subvolume none;

		assert_true(find(source, refused[i], &none) < 0);
	}
	sendcp_subvolume_release(&inner);
	sendcp_subvolume_release(&snap);
	sendcp_subvolume_release(&a);
}

static void assert_found(struct sendcp_source *source, const struct sendcp_subvolume *expected)
{
	struct sendcp_subvolume found;

	assert_int_equal(sendcp_source_find_uuid(source, expected->uuid, &found), 0);
	assert_int_equal(found.id, expected->id);
	assert_int_equal(found.ctransid, expected->ctransid);
	assert_memory_equal(found.uuid, expected->uuid, 16);
	assert_memory_equal(found.parent_uuid, expected->parent_uuid, 16);
	assert_true(found.readonly == expected->readonly);
	assert_non_null(found.spec);
	sendcp_subvolume_release(&found);
}

static void check_uuids(struct sendcp_source *source)
{
	static const u8 unknown[16] = { 1, 2, 3 };
	static const u8 zero[16];
	struct sendcp_subvolume subvolume;

	assert_int_equal(find(source, "a.snap", &subvolume), 0);
	assert_found(source, &subvolume);
	sendcp_subvolume_release(&subvolume);
	assert_int_equal(find(source, "a/dir/inner", &subvolume), 0);
	assert_found(source, &subvolume);
	sendcp_subvolume_release(&subvolume);
	assert_int_equal(sendcp_source_find_uuid(source, unknown, &subvolume), 1);
	assert_int_equal(sendcp_source_find_uuid(source, zero, &subvolume), 1);
}

static void test_direct(void **state)
{
	struct sendcp_subvolume subvolume;
	struct sendcp_source *source;

	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	check_paths(source);
	check_uuids(source);
	/* Made after the source was opened, and not committed by anybody. */
	loopfs_run(&fs, "btrfs -q subvolume snapshot -r a late");
	assert_int_equal(find(source, "late", &subvolume), 0);
	assert_true(subvolume.fd >= 0);
	sendcp_subvolume_release(&subvolume);
	sendcp_source_close(source);
}

static void test_direct_unreachable(void **state)
{
	struct sendcp_subvolume wanted;
	struct sendcp_subvolume found;
	struct sendcp_source *source;

	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	assert_int_equal(find(source, "a.snap", &wanted), 0);
	sendcp_source_close(source);
	close(wanted.fd);
	wanted.fd = -1;
	loopfs_unmount(&fs);
	loopfs_mount(&fs, "subvol=a/dir/inner");
	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	assert_int_equal(sendcp_source_find_uuid(source, wanted.uuid, &found), 0);
	assert_int_equal(found.id, wanted.id);
	assert_true(found.fd >= 0);
	assert_true(faccessat(found.fd, "dir/deep", F_OK, 0) == 0);
	sendcp_subvolume_release(&found);
	sendcp_subvolume_release(&wanted);
	sendcp_source_close(source);
	loopfs_unmount(&fs);
	loopfs_mount(&fs, "");
}

static void test_direct_refused(void **state)
{
	struct sendcp_source_error error;
	struct sendcp_subvolume subvolume;
	struct sendcp_source *source;

	assert_int_equal(sendcp_source_open_mounted("/proc", NULL, &source, &error), -EMEDIUMTYPE);
	assert_null(source);
	assert_string_equal(error.text, "/proc: not on a btrfs filesystem");
	assert_int_equal(sendcp_source_open_mounted("/nowhere/at/all", NULL, &source, &error),
			 -ENOENT);
	assert_int_equal(error.err, -ENOENT);
	assert_string_equal(error.text, "cannot open /nowhere/at/all: No such file or directory");
	loopfs_make(&other, 1, 128, "");
	loopfs_mount(&other, "");
	assert_int_equal(sendcp_source_open_mounted(other.mount, NULL, &source, NULL), 0);
	assert_int_equal(find(source, "a.snap", &subvolume), -EXDEV);
	assert_int_equal(sendcp_source_find_subvolume(source, "/proc", &subvolume), -EMEDIUMTYPE);
	assert_string_equal(sendcp_source_error(source)->text, "/proc: not on a btrfs filesystem");
	sendcp_source_close(source);
}

static void check_image_names(struct sendcp_source *source)
{
	static const char *const refused[] = {
		"id:", "id:x", "id:7", "id:+256", "id:999999", "id:256x", "id:18446744073709551615",
		"id:99999999999999999999", "uuid:", "uuid:12", "a/..", "a/link",
		"uuid:00000000-0000-0000-0000-00000000000g",
		"uuid:00000000-0000-0000-0000-000000000000",
		"uuid:12345678-1234-1234-1234-123456789abc0",
	};
	struct sendcp_subvolume subvolume;
	size_t i;

	assert_int_equal(sendcp_source_find_subvolume(source, "/", &subvolume), 0);
	assert_int_equal(subvolume.id, 5);
	sendcp_subvolume_release(&subvolume);
	assert_int_equal(sendcp_source_find_subvolume(source, "id:256", &subvolume), 0);
	assert_int_equal(subvolume.id, 256);
	assert_int_equal(subvolume.fd, -1);
	sendcp_subvolume_release(&subvolume);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		if (sendcp_source_find_subvolume(source, refused[i], &subvolume) >= 0)
			fail_msg("%s was taken", refused[i]);
		assert_memory_equal(sendcp_source_error(source)->text, refused[i],
				    strlen(refused[i]));
	}
}

static void check_uuid_name(struct sendcp_source *source)
{
	struct sendcp_subvolume expected;
	struct sendcp_subvolume found;
	char spec[64] = "uuid:";
	size_t i;

	assert_int_equal(sendcp_source_find_subvolume(source, "a.snap", &expected), 0);
	for (i = 0; i < 16; i++)
		sprintf(spec + strlen(spec), "%02X", expected.uuid[i]);
	assert_int_equal(sendcp_source_find_subvolume(source, spec, &found), 0);
	assert_int_equal(found.id, expected.id);
	assert_string_equal(found.spec, spec);
	sendcp_subvolume_release(&found);
	sendcp_subvolume_release(&expected);
}

static void test_image(void **state)
{
	const char *const paths[] = { fs.images[0] };
	struct sendcp_source *source;

	loopfs_unmount(&fs);
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, NULL), 0);
	check_paths(source);
	check_uuids(source);
	check_image_names(source);
	check_uuid_name(source);
	sendcp_source_close(source);
	loopfs_mount(&fs, "");
}

/* A block device that is mounted must not be read without its filesystem, except read-only ones. */
static void test_image_mounted(void **state)
{
	const char *const paths[] = { fs.loops[0] };
	struct sendcp_source_error error;
	struct sendcp_source *source;

	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, &error), -EBUSY);
	assert_non_null(strstr(error.text, "name the subvolume's path in the mounted"));
	loopfs_unmount(&fs);
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, NULL), 0);
	sendcp_source_close(source);
	loopfs_mount(&fs, "ro");
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, NULL), 0);
	sendcp_source_close(source);
	loopfs_unmount(&fs);
	loopfs_mount(&fs, "");
}

/* One block device of several is enough; one image file is not, and the message says so. */
static void test_image_members(void **state)
{
	const char *paths[] = { NULL };
	struct sendcp_source_error error;
	struct sendcp_subvolume subvolume;
	struct sendcp_source *source;

	loopfs_make(&other, 3, 128, "-d raid0 -m raid0");
	loopfs_mount(&other, "");
	loopfs_run(&other, "btrfs -q subvolume create s; sync -f .");
	loopfs_unmount(&other);
	paths[0] = other.loops[1];
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, NULL), 0);
	assert_int_equal(source->devices.count, 3);
	assert_int_equal(sendcp_source_find_subvolume(source, "s", &subvolume), 0);
	sendcp_subvolume_release(&subvolume);
	sendcp_source_close(source);
	paths[0] = other.images[1];
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, &error), -ENODEV);
	assert_int_equal(error.cause.reason, SENDCP_ERR_DEVICE_MISSING);
	assert_non_null(strstr(error.text, "3 devices, 1 given: name the others too"));
}

/* Its file may be written to through a loop device; reads then are of two states, for good. */
static void test_image_changed(void **state)
{
	const char *const paths[] = { fs.images[0] };
	struct sendcp_source *source;
	struct sendcp_error error;
	int i;

	loopfs_run(&fs, "sync -f .");
	assert_int_equal(sendcp_source_open_image(paths, 1, NULL, &source, NULL), 0);
	assert_int_equal(sendcp_source_unchanged(source, &error), 0);
	loopfs_run(&fs, "touch later; btrfs filesystem sync .; rm later; btrfs filesystem sync .");
	for (i = 0; i < 3; i++) {
		sendcp_error_clear(&error);
		assert_int_equal(sendcp_source_unchanged(source, &error), -ESTALE);
		assert_int_equal(error.reason, SENDCP_ERR_FILESYSTEM_CHANGED);
	}
	sendcp_source_close(source);
}

static void keep_warning(void *context, const char *text)
{
	snprintf(context, SENDCP_SOURCE_TEXT_SIZE, "%s", text);
}

/* Something that is survived is a warning, and goes to the hook alone. */
static void test_warnings(void **state)
{
	static char warning[SENDCP_SOURCE_TEXT_SIZE];
	const struct sendcp_source_hooks hooks = { .warn = keep_warning, .context = warning };
	const char *paths[] = { NULL };
	struct sendcp_source *source;

	loopfs_make(&other, 2, 256, "-d raid1 -m raid1");
	paths[0] = other.images[1];
	assert_int_equal(sendcp_source_open_image(paths, 1, &hooks, &source, NULL), 0);
	assert_memory_equal(warning, paths[0], strlen(paths[0]));
	assert_non_null(strstr(warning, "reading without all devices"));
	assert_int_equal(sendcp_source_error(source)->err, 0);
	sendcp_source_close(source);
}

static void test_image_refused(void **state)
{
	static const struct {
		const char *path;
		int err;
	} refused[] = {
		{ "/dev/null", -EINVAL }, { "/proc", -EINVAL }, { "/nowhere", -ENOENT },
		{ "/etc/passwd", -EINVAL },
	};
	const char *const twice[] = { fs.images[0], fs.images[0] };
	char path[200];
	const char *const garbage[] = { path };
	struct sendcp_source_error error;
	struct sendcp_source *source;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(sendcp_source_open_image(&refused[i].path, 1, NULL, &source, NULL),
				 refused[i].err);
	assert_int_equal(sendcp_source_open_image(NULL, 0, NULL, &source, NULL), -EINVAL);
	loopfs_unmount(&fs);
	assert_int_equal(sendcp_source_open_image(twice, 2, NULL, &source, &error), -EINVAL);
	assert_int_equal(error.cause.reason, SENDCP_ERR_DEVICE_TWICE);
	snprintf(path, sizeof(path), "%s/garbage", fs.dir);
	loopfs_run(&fs, "head -c 70000 /dev/urandom > garbage");
	assert_int_equal(sendcp_source_open_image(garbage, 1, NULL, &source, &error), -EINVAL);
	assert_int_equal(error.cause.reason, SENDCP_ERR_NOT_BTRFS);
	assert_memory_equal(error.text, path, strlen(path));
	loopfs_mount(&fs, "");
}

/* Names that are too long for the system are shown with the reason all the same. */
static void test_long_names(void **state)
{
	struct sendcp_source_error error;
	struct sendcp_source *source;
	char path[PATH_MAX + 1000];
	const char *end;

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(sendcp_source_open_mounted(path, NULL, &source, &error), -ENAMETOOLONG);
	end = strrchr(error.text, ':');
	assert_non_null(end);
	assert_string_equal(end + 2, strerror(ENAMETOOLONG));
}

/* Deleted under the reader: the held tree stays readable, but files can no longer be opened. */
static void test_direct_deleted(void **state)
{
	struct sendcp_subvolume subvolume;
	struct sendcp_file_range range = { .length = 2 };
	struct sendcp_source *source;
	struct sendcp_error error;
	struct stat st;
	u8 bytes[2];

	loopfs_run(&fs, "btrfs -q subvolume snapshot -r a doomed; sync -f .");
	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	assert_int_equal(find(source, "doomed", &subvolume), 0);
	assert_int_equal(fstatat(subvolume.fd, "file", &st, 0), 0);
	loopfs_run(&fs, "btrfs -q subvolume delete -c doomed >/dev/null");
	range.root = subvolume.id;
	range.inode = st.st_ino;
	assert_int_equal(source->host.ops->read_file(source, &range, bytes, &error), -ESTALE);
	/* Why, the engine finds out. */
	assert_int_equal(error.reason, SENDCP_ERR_DATA_READ);
	assert_int_equal(error.root, subvolume.id);
	assert_int_equal(error.inode, st.st_ino);
	sendcp_subvolume_release(&subvolume);
	sendcp_source_close(source);
}

/* Interruption before anything was read: an error, not a hang, and no half-open source. */
static void test_interrupt(void **state)
{
	struct sendcp_cancel cancel = { 0 };
	struct sendcp_source *source;

	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	assert_int_equal(source->host.ops->interrupted(source), 0);
	sendcp_source_set_interrupt(source, &cancel);
	assert_int_equal(source->host.ops->interrupted(source), 0);
	sendcp_cancel_set(&cancel);
	assert_int_equal(source->host.ops->interrupted(source), -EINTR);
	sendcp_source_close(source);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_direct_unreachable),
		cmocka_unit_test(test_direct_refused),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_direct_deleted),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_image_mounted),
		cmocka_unit_test(test_image_changed),
		cmocka_unit_test(test_image_members),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_image_refused),
		cmocka_unit_test(test_interrupt),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests(tests, setup, teardown);
}
