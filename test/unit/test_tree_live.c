/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a snapshot from the devices of a mounted filesystem while it is being balanced and
 * written to: every walk must give the same items. Needs root and loop devices; skipped
 * otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"

/*
 * In folder $1: a mounted filesystem on two devices, snapshot m/snap, loop devices in dev0, dev1.
 */
static const char make_script[] =
	"set -e; cd \"$1\"; mkdir m\n"
	"for i in 0 1; do truncate -s 256M $i; losetup -f --show $i >dev$i; done\n"
	"dev0=$(cat dev0); dev1=$(cat dev1)\n"
	"mkfs.btrfs -q -f -n 4096 -m raid1 -d single $dev0 $dev1 >/dev/null 2>&1\n"
	"btrfs device scan $dev0 $dev1 >/dev/null; mount $dev0 m; mkdir m/a\n"
	"head -c 19000000 /dev/urandom | split -a 5 -b 1900 - m/a/inline-\n"
	"btrfs subvolume snapshot -r m m/snap >/dev/null; sync -f m\n"
	"btrfs subvolume show m/snap | sed -n 's/.*Subvolume ID:[^0-9]*//p' >id\n";

/*
 * Until it is asked to stop: relocate all metadata, rewrite files, commit. It must not be killed: a
 * balance that gets a signal can abort its transaction (on 6.18: "merge_reloc_roots errno=-4").
 */
static const char stir_script[] =
	"cd \"$1\"; n=0; while [ ! -e stop ]; do n=$((n+1)); mkdir -p m/b$n;"
	" seq 50 | while read i; do echo $i >m/b$n/file-$i; done; sync -f m;"
	" btrfs balance start -m m >/dev/null 2>&1;"
	" rm -r m/b$n; btrfs filesystem sync m; done\n";

static const char remove_script[] =
	"cd \"$1\"; btrfs balance cancel m >/dev/null 2>&1; umount m;"
	" losetup -d $(cat dev0); losetup -d $(cat dev1); cd /; rm -rf \"$1\"\n";

static char folder[64];

static pid_t start_script(const char *script)
{
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", script, "sh", folder, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool run_script(const char *script)
{
	pid_t pid = start_script(script);
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void stop_script(pid_t pid)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/stop", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	waitpid(pid, NULL, 0);
}

static void read_word(const char *name, char *word, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(word, (int)size, file));
	word[strcspn(word, "\n")] = '\0';
	fclose(file);
}

static void open_live(struct fixture *fixture)
{
	char word[64];
	int i;

	fixture_init(fixture);
	fixture->host.mounted = true;
	/* So small that blocks are read again all the time. */
	fixture->host.cache_size = 1;
	for (i = 0; i < 2; i++) {
		read_word(i ? "dev1" : "dev0", word, sizeof(word));
		fixture_add_direct(fixture, word);
	}
	if (fixture_open(fixture))
		fail_msg("%s", sendcp_error_format(&fixture->error, word, sizeof(word)));
}

struct sum {
	u64 items;
	u64 hash;
};

static void add_item(struct sum *sum, const struct sendcp_cursor *cursor)
{
	struct sendcp_key key = sendcp_cursor_key(cursor);
	u32 size;
	const void *item = sendcp_cursor_item(cursor, &size);
	u64 seed = sum->hash ^ key.objectid ^ (u64)key.type << 56 ^ key.offset << 8;

	sum->items++;
	/* Relocation changes the address of a file's bytes, and nothing else. */
	if (key.type == SENDCP_EXTENT_DATA)
		size = 0;
	sum->hash = fixture_random(&seed) ^ sendcp_crc32c(0, item, size);
}

static int walk(struct sendcp_tree *tree, struct sum *sum, unsigned int pause)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	int ret;

	memset(sum, 0, sizeof(*sum));
	sendcp_cursor_init(&cursor, tree);
	cursor.readahead = pause % 2;
	ret = sendcp_search(&cursor, &key);
	while (ret >= 0) {
		add_item(sum, &cursor);
		if (pause && sum->items % 512 == 0)
			usleep(pause);
		ret = sendcp_next(&cursor);
	}
	sendcp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

static void explain(struct fixture *fixture, int ret)
{
	char line[300];

	if (ret)
		fail_msg("%s", sendcp_error_format(&fixture->volume->error, line, sizeof(line)));
}

/* Blocks were pulled away from under the reader several times, or will not be. */
static bool stirred_enough(const struct fixture *fixture, time_t seconds)
{
	return seconds > 60 || (seconds > 5 && fixture->volume->stats.refreshes >= 10);
}

static void walk_while_stirred(struct fixture *fixture, struct sendcp_tree *tree)
{
	pid_t pid = start_script(stir_script);
	time_t start = time(NULL);
	struct sum first, sum;
	unsigned int walks = 0;
	int ret;

	explain(fixture, walk(tree, &first, 0));
	assert_true(first.items > 40000);
	do {
		ret = walk(tree, &sum, walks * 7919 % 3001);
		walks++;
	} while (!ret && sum.hash == first.hash && sum.items == first.items &&
		 !stirred_enough(fixture, time(NULL) - start));
	stop_script(pid);
	explain(fixture, ret);
	assert_int_equal(sum.items, first.items);
	assert_int_equal(sum.hash, first.hash);
	print_message("%u walks, looked up again %llu times, repairs %llu\n", walks,
		      (unsigned long long)fixture->volume->stats.refreshes,
		      (unsigned long long)fixture->volume->stats.repairs);
}

/* Trees that change all the time give any contents, but never an error. */
static void walk_moving_trees(struct fixture *fixture)
{
	static const u64 ids[] = { SENDCP_ROOT_TREE_ID, SENDCP_EXTENT_TREE_ID, SENDCP_CSUM_TREE_ID,
				   SENDCP_FS_TREE_ID };
	pid_t pid = start_script(stir_script);
	time_t end = time(NULL) + 10;
	struct sendcp_tree tree;
	struct sum sum;
	u32 i = 0;
	int ret;

	do {
		ret = sendcp_tree_open(fixture->volume, ids[i++ % ARRAY_SIZE(ids)], false, &tree);
		if (!ret)
			ret = walk(&tree, &sum, i % 97);
	} while (!ret && time(NULL) < end);
	stop_script(pid);
	explain(fixture, ret);
}

static void deletion_is_noticed(struct fixture *fixture, struct sendcp_tree *tree)
{
	struct sum sum;
	int ret, tries = 0;

	assert_true(run_script("cd \"$1\"; btrfs -q subvolume delete -c m/snap >/dev/null; "
			       "btrfs subvolume sync m >/dev/null; rm -r m/a; sync -f m"));
	assert_int_equal(sendcp_tree_revalidate(tree), -ESTALE);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_SUBVOLUME_GONE);
	/* Its blocks may well be there until they are reused. */
	do {
		assert_true(run_script("cd \"$1\"; cp -r /usr/include m/; sync -f m;"
				       " rm -r m/include; sync -f m"));
		ret = walk(tree, &sum, 0);
	} while (!ret && tries++ < 10);
	if (ret)
		assert_int_equal(ret, -ESTALE);
}

static void live_snapshot_stays_the_same(void **state)
{
	struct fixture fixture;
	struct sendcp_tree tree;
	char word[32];

	if (geteuid() || access("/dev/loop-control", R_OK | W_OK)) {
		print_message("needs root and loop devices\n");
		skip();
	}
	snprintf(folder, sizeof(folder), "%s/sendcp-unit-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	assert_true(run_script(make_script));
	read_word("id", word, sizeof(word));
	open_live(&fixture);
	explain(&fixture, sendcp_tree_open(fixture.volume, strtoull(word, NULL, 10), true, &tree));
	walk_while_stirred(&fixture, &tree);
	walk_moving_trees(&fixture);
	deletion_is_noticed(&fixture, &tree);
	fixture_release(&fixture);
}

static int cleanup(void **state)
{
	return folder[0] && !run_script(remove_script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(live_snapshot_stays_the_same, cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
