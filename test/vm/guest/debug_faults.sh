# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Failing allocations and reads, in the debugging kernel; then checks for leaks, and that lockdep is
# still on.

DEBUG=/sys/kernel/debug

# /proc/thread-self/fail-nth selects the allocation that fails; this allows all types to fail.
allow_failing_allocations()
{
	echo N >$DEBUG/failslab/ignore-gfp-wait && echo N >$DEBUG/fail_page_alloc/ignore-gfp-wait &&
		echo 0 >$DEBUG/fail_page_alloc/min-order && echo 0 >$DEBUG/failslab/verbose &&
		echo 0 >$DEBUG/fail_page_alloc/verbose
}

# All reads of one of two mirrors fail.
fail_reads()
{
	echo 100 >$DEBUG/fail_make_request/probability && echo -1 >$DEBUG/fail_make_request/times &&
		echo 0 >$DEBUG/fail_make_request/verbose && echo "$2" >"/sys/block/$(basename "$1")/make-it-fail"
}

# Kmemleak ignores objects younger than five seconds.
nothing_leaked()
{
	sleep 6
	echo scan >$DEBUG/kmemleak
	sleep 6
	echo scan >$DEBUG/kmemleak
	cat $DEBUG/kmemleak
	[ -z "$(cat $DEBUG/kmemleak)" ]
}

# A first report would have disabled it.
lockdep_is_on()
{
	grep debug_locks /proc/lockdep_stats
	grep -qE 'debug_locks: +1' /proc/lockdep_stats
}

kasan_is_on()
{
	dmesg | grep -q 'KernelAddressSanitizer initialized' || grep -q kasan_report /proc/kallsyms
}

modprobe sendcp
check "debug: KASAN is there" kasan_is_on
check "debug: allocations may fail" allow_failing_allocations
disk_mount unshared
log_expect '^BTRFS (error|warning|critical)|^FAULT_INJECTION|^Buffer I/O error|page allocation failure'
# Kmemleak allocates too; and read errors must be reported.
log_expect '^kmemleak: Cannot allocate|^sendcp: device [01]: read error'
# Its scan occupies a processor for longer than this type of RCU expects.
log_expect '^rcu_tasks_wait_gp: rcu_tasks grace period [0-9]+ is [0-9]+ jiffies old'
program "faults, full" ioctltest faults /mnt/unshared/b
program "faults, incremental" ioctltest faults -p /mnt/unshared/a /mnt/unshared/b
read -r LENGTH DIGEST < <(case_digest unshared "--proto 1 b")
for DEVICE in $(disk_devices unshared); do
	check "debug: reads of $DEVICE fail" fail_reads "$DEVICE" 1
	echo 3 >/proc/sys/vm/drop_caches
	program "one mirror fails" ioctltest case send "$LENGTH" "$DIGEST" /mnt/unshared/b
	check "debug: reads of $DEVICE succeed" fail_reads "$DEVICE" 0
done
disk_umount unshared
check "debug: unload" rmmod sendcp
check "debug: nothing was leaked" nothing_leaked
check "debug: lockdep is still on" lockdep_is_on
