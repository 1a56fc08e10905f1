// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holding subvolumes: the operations that btrfs refuses meanwhile, subvolumes that cannot be held,
 * and the process that holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sendcp/cancel.h>
#include <sendcp/source.h>

#include "backend/hold.h"
#include "loopfs.h"

static struct loopfs fs;
static struct sendcp_source *source;
static struct sendcp_subvolume rw, a, b, c;

/* Fails, as btrfs says it, what must not happen to a held subvolume. */
#define REFUSED "refused() { ! out=$(\"$@\" 2>&1) && case $out in *'not permitted'*) ;; *) " \
		"echo \"$out\"; false ;; esac; }\n"

static void find(const char *name, struct sendcp_subvolume *out)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", fs.mount, name);
	assert_int_equal(sendcp_source_find_subvolume(source, path, out), 0);
}

static int setup(void **state)
{
	loopfs_make(&fs, 1, 256, "");
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "btrfs -q subvolume create rw; echo x > rw/file\n"
			"for i in a b c; do btrfs -q subvolume snapshot -r rw $i; done; sync -f .");
	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	find("rw", &rw);
	find("a", &a);
	find("b", &b);
	find("c", &c);
	return 0;
}

static int teardown(void **state)
{
	sendcp_subvolume_release(&rw);
	sendcp_subvolume_release(&a);
	sendcp_subvolume_release(&b);
	sendcp_subvolume_release(&c);
	sendcp_source_close(source);
	loopfs_destroy(&fs);
	return 0;
}

static struct hold *held(int fd, const u64 *others, size_t count)
{
	struct hold *hold;

	assert_int_equal(sendcp_hold_take(fd, others, count, NULL, &hold), 0);
	assert_non_null(hold);
	return hold;
}

static void no_child_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void refused(int fd, const u64 *others, size_t count, const struct sendcp_cancel *interrupt,
		    int err)
{
	struct hold *hold = (struct hold *)&fs;

	assert_int_equal(sendcp_hold_take(fd, others, count, interrupt, &hold), -err);
	assert_null(hold);
	no_child_left();
}

static void test_all_are_held_and_free_again(void **state)
{
	const u64 others[] = { b.id, a.id, b.id };
	struct hold *hold = held(a.fd, others, ARRAY_SIZE(others));

	loopfs_run(&fs, REFUSED
		   "for i in a b; do\n"
		   "  refused btrfs property set $i ro false\n"
		   "  refused btrfs subvolume delete $i\n"
		   "done\n"
		   "btrfs property set c ro false; btrfs property set -f c ro true");
	sendcp_hold_release(hold);
	no_child_left();
	loopfs_run(&fs, "for i in a b; do\n"
			"  btrfs property set $i ro false; btrfs property set $i ro true\n"
			"done");
}

/* Everything that does not change the held ones. */
static void test_the_rest_goes_on(void **state)
{
	struct hold *first = held(a.fd, NULL, 0);
	struct hold *second = held(a.fd, &b.id, 1);

	loopfs_run(&fs, "btrfs -q subvolume snapshot a copy; echo y > copy/file; sync -f .\n"
			"btrfs -q subvolume snapshot -r a again\n"
			"btrfs send -q a | cat > /dev/null\n"
			"btrfs -q subvolume delete -c copy again\n"
			"fsfreeze -f . && fsfreeze -u .\n"
			"mount -o remount,ro . && mount -o remount,rw .\n"
			"btrfs -q balance start -f -m -d .");
	sendcp_hold_release(first);
	loopfs_run(&fs, REFUSED "refused btrfs property set a ro false");
	sendcp_hold_release(second);
	no_child_left();
}

/* More than one send takes. */
static void test_very_many(void **state)
{
	const size_t count = 150000;
	u64 *others = calloc(count, sizeof(*others));
	struct hold *hold;

	for (size_t i = 0; i < count; i++)
		others[i] = i + 1 < count ? b.id : c.id;
	hold = held(a.fd, others, count);
	free(others);
	loopfs_run(&fs, REFUSED "for i in a b c; do refused btrfs property set $i ro false; done");
	sendcp_hold_release(hold);
	no_child_left();
}

static void test_what_cannot_be_held(void **state)
{
	const u64 with_writable[] = { b.id, rw.id };
	const u64 unknown[] = { 1000000 };
	struct sendcp_cancel stop = { .set = true };
	int null = open("/dev/null", O_RDONLY);

	refused(null, NULL, 0, NULL, ENOTTY);
	refused(rw.fd, NULL, 0, NULL, EPERM);
	refused(a.fd, with_writable, ARRAY_SIZE(with_writable), NULL, EPERM);
	refused(a.fd, unknown, ARRAY_SIZE(unknown), &stop, ENOENT);
	close(null);
	/* Nothing of that has stayed. */
	loopfs_run(&fs, "for i in a b; do\n"
			"  btrfs property set $i ro false; btrfs property set $i ro true\n"
			"done");
}

/* A deleted subvolume that is still open. */
static void test_deleted(void **state)
{
	struct sendcp_source_error error;
	struct sendcp_subvolume gone;

	loopfs_run(&fs, "btrfs -q subvolume snapshot -r rw gone; sync -f .");
	find("gone", &gone);
	assert_int_equal(sendcp_subvolume_unchanged(&gone, NULL), 0);
	loopfs_run(&fs, "btrfs -q subvolume delete -c gone");
	refused(gone.fd, NULL, 0, NULL, EPERM);
	assert_int_equal(sendcp_subvolume_unchanged(&gone, &error), -ENOENT);
	assert_non_null(strstr(error.text, "gone was deleted a moment ago"));
	sendcp_subvolume_release(&gone);
}

static void test_changed_since_it_was_found(void **state)
{
	struct sendcp_subvolume found;

	loopfs_run(&fs, "btrfs -q subvolume snapshot -r rw one; sync -f .");
	find("one", &found);
	assert_int_equal(sendcp_subvolume_unchanged(&found, NULL), 0);
	loopfs_run(&fs, "btrfs property set one ro false");
	assert_int_equal(sendcp_subvolume_unchanged(&found, NULL), -ESTALE);
	loopfs_run(&fs, "touch one/new; sync -f .; btrfs property set one ro true");
	assert_int_equal(sendcp_subvolume_unchanged(&found, NULL), -ESTALE);
	sendcp_subvolume_release(&found);
	find("one", &found);
	assert_int_equal(sendcp_subvolume_unchanged(&found, NULL), 0);
	sendcp_subvolume_release(&found);
}

/* The holder: this process has no other child. */
static pid_t child_of_mine(void)
{
	char text[32] = "";
	FILE *found;

	snprintf(text, sizeof(text), "pgrep -P %d -x sendcp-hold", getpid());
	found = popen(text, "r");
	assert_non_null(found);
	assert_non_null(fgets(text, sizeof(text), found));
	pclose(found);
	return atoi(text);
}

/* Not the output of a pipeline, not a lock, not a device. */
static void test_the_holder_keeps_nothing_else_open(void **state)
{
	int low = open("/dev/null", O_RDONLY), high = dup2(low, 700);
	struct hold *hold = held(a.fd, NULL, 0);
	pid_t pid = child_of_mine();

	loopfs_run(&fs, "test $(ls /proc/%d/fd | wc -l) = 2\n"
			"test \"$(readlink /proc/%d/fd/%d)\" = \"$PWD/a\"\n"
			"ls -l /proc/%d/fd | grep -q pipe:", pid, pid, a.fd, pid);
	close(low);
	close(high);
	sendcp_hold_release(hold);
	assert_int_equal(kill(pid, 0), -1);
}

/*
 * Stopping a service signals all of its processes. glibc keeps two signals for itself, and does not
 * block those.
 */
static void test_signals_do_not_end_it(void **state)
{
	struct hold *hold = held(a.fd, NULL, 0);
	pid_t pid = child_of_mine();

	for (int i = 1; i <= SIGRTMAX; i++)
		if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN))
			kill(pid, i);
	loopfs_run(&fs, REFUSED "refused btrfs property set a ro false");
	assert_int_equal(getsid(pid), pid);
	sendcp_hold_release(hold);
	no_child_left();
}

static char state_of(pid_t pid)
{
	char path[64], state;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "r");
	assert_non_null(stat);
	assert_int_equal(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
	fclose(stat);
	return state;
}

static void wait_for_state(pid_t pid, char wanted)
{
	while (state_of(pid) != wanted)
		usleep(1000);
}

/* The effect of a freezer; a stopped process would not end by its pipe. */
static void test_stopped_itself_it_holds_again_and_ends(void **state)
{
	struct hold *hold = held(a.fd, NULL, 0);
	pid_t pid = child_of_mine();

	kill(pid, SIGSTOP);
	wait_for_state(pid, 'T');
	loopfs_run(&fs, "btrfs property set a ro false; btrfs property set a ro true");
	kill(pid, SIGCONT);
	wait_for_state(pid, 'S');
	loopfs_run(&fs, REFUSED "refused btrfs property set a ro false");
	kill(pid, SIGSTOP);
	wait_for_state(pid, 'T');
	sendcp_hold_release(hold);
	no_child_left();
	assert_int_equal(kill(pid, 0), -1);
}

static void test_killed_itself(void **state)
{
	struct hold *hold = held(a.fd, NULL, 0);
	pid_t pid = child_of_mine();

	kill(pid, SIGKILL);
	wait_for_state(pid, 'Z');
	loopfs_run(&fs, "btrfs property set a ro false; btrfs property set a ro true");
	sendcp_hold_release(hold);
	no_child_left();
}

static void test_no_hold_is_no_failure(void **state)
{
	sendcp_hold_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_held_and_free_again),
		cmocka_unit_test(test_the_rest_goes_on),
		cmocka_unit_test(test_very_many),
		cmocka_unit_test(test_what_cannot_be_held),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_changed_since_it_was_found),
		cmocka_unit_test(test_the_holder_keeps_nothing_else_open),
		cmocka_unit_test(test_signals_do_not_end_it),
		cmocka_unit_test(test_stopped_itself_it_holds_again_and_ends),
		cmocka_unit_test(test_killed_itself),
		cmocka_unit_test(test_no_hold_is_no_failure),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests(tests, setup, teardown);
}
