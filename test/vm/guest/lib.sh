# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shared by the guests' suites: TAP, the test disks, the kernel's log.

COUNT=0
FAILED=0
OUTPUT=/tmp/output

ok()
{
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $*"
}

not_ok()
{
	COUNT=$((COUNT + 1))
	FAILED=$((FAILED + 1))
	echo "not ok $COUNT - $*"
}

# Prints a failed test's output.
explain()
{
	sed 's/^/#   /' "$1" | tail -30
}

# check NAME COMMAND...: a test that passes if COMMAND does.
check()
{
	local name=$1 status

	shift
	"$@" >"$OUTPUT" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name (status $status)"
		explain "$OUTPUT"
	fi
}

# program NAME COMMAND...: a program that writes TAP; its tests become ours. Without a plan, or with
# an exit status that does not match its tests, it counts as failed.
program()
{
	local name=$1 line status ran=0 bad=0 plan=

	shift
	"$@" >"$OUTPUT" 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok "*) ran=$((ran + 1)); ok "$name: ${line#ok * - }" ;;
		"not ok "*) ran=$((ran + 1)); bad=$((bad + 1)); not_ok "$name: ${line#not ok * - }" ;;
		1..*) plan=${line#1..} ;;
		*) echo "#   ${line# #}" ;;
		esac
	done <"$OUTPUT"
	[ "$plan" = "$ran" ] || not_ok "$name: planned ${plan:-nothing}, ran $ran tests, status $status"
	[ $((status != 0)) -eq $((bad != 0)) ] || not_ok "$name: status $status after $bad failures"
}

tap_end()
{
	echo "1..$COUNT"
}

# The block devices of a test disk, by their serial numbers.
disk_devices()
{
	local block

	for block in /sys/block/vd*; do
		case $(cat "$block/serial") in
		"$1".*) echo "/dev/${block##*/}" ;;
		esac
	done
}

# disk_mount NAME [OPTIONS]: on /mnt/NAME; read-only unless the options say rw.
disk_mount()
{
	local name=$1 options=${2:-ro} devices

	devices=$(disk_devices "$name")
	mkdir -p "/mnt/$name"
	# shellcheck disable=SC2086
	btrfs device scan $devices >/dev/null
	mount -t btrfs -o "noatime,$options" "${devices%%[[:space:]]*}" "/mnt/$name"
}

# The holder processes that are children of process $1.
holders_of()
{
	local status

	for status in $(grep -ls '^Name:.sendcp-hold$' /proc/[0-9]*/status); do
		if grep -qs "^PPid:.$1\$" "$status"; then
			status=${status#/proc/}
			echo "${status%/status}"
		fi
	done
}

# The subvolumes held by a sendcp that was killed with SIGKILL are released a moment later, when its
# holder, then a child of init, has ended.
disk_unheld()
{
	while [ -n "$(holders_of 1)" ]; do
		sleep 0.05
	done
}

disk_umount()
{
	disk_unheld
	umount "/mnt/$1"
}

disk_names()
{
	cut -d '|' -f 1 /guest/manifest | uniq
}

# each_case DISK COMMAND...: runs COMMAND LENGTH DIGEST ARGUMENTS..., with paths, for all its cases.
each_case()
{
	local disk=$1 name arguments length digest argument paths

	shift
	while IFS='|' read -r name arguments length digest <&3; do
		[ "$name" = "$disk" ] || continue
		paths=()
		for argument in $arguments; do
			case $argument in
			-* | [0-9]) paths+=("$argument") ;;
			*) paths+=("/mnt/$disk/$argument") ;;
			esac
		done
		"$@" "$length" "$digest" "${paths[@]}"
	done 3</guest/manifest
}

# If only clone sources are given, the command line finds a parent; ioctltest has none then.
lacks_parent()
{
	[[ " $* " == *" -c "* && " $* " != *" -p "* ]]
}

# Writes the kernel's log from now on to a file.
log_begin()
{
	dmesg -n 4
	cat /dev/kmsg >/tmp/kmsg &
	# shellcheck disable=SC2034 # Read by the suites.
	LOG_READER=$!
	sleep 0.3
	LOG_SEEN=$(wc -l </tmp/kmsg)
	LOG_EXPECTED=
	LOG_LATE=
}

# Expects a log line that a test provokes (an extended regular expression), until the next suite.
log_expect()
{
	LOG_EXPECTED+="${LOG_EXPECTED:+|}$1"
}

# The same for a line that the kernel may print as late as in the next suite.
log_expect_late()
{
	log_expect "$1"
	LOG_LATE=$1
}

# New lines of the kernel's log must be those of a clean run, or expected.
log_is_clean()
{
	sleep 0.3
	tail -n +$((LOG_SEEN + 1)) /tmp/kmsg | grep -a '^[0-9]' | cut -d ';' -f 2- |
		grep -avEf /guest/clean-log >/tmp/kmsg.new
	LOG_SEEN=$(wc -l </tmp/kmsg)
	[ -z "$LOG_EXPECTED" ] || {
		grep -avE "$LOG_EXPECTED" /tmp/kmsg.new >/tmp/kmsg.rest
		mv /tmp/kmsg.rest /tmp/kmsg.new
	}
	LOG_EXPECTED=$LOG_LATE
	LOG_LATE=
	cat /tmp/kmsg.new
	[ ! -s /tmp/kmsg.new ]
}

suite_begin()
{
	SUITE=$(basename "$1" .sh)
	SUITE=${SUITE#*_}
	SUITE_BEGAN=$(cut -d . -f 1 /proc/uptime)
	echo "# suite $SUITE"
}

suite_end()
{
	local mounted

	for mounted in $(awk '$2 ~ "^/mnt/" { print $2 }' /proc/mounts | sort -r); do
		not_ok "$SUITE left $mounted mounted"
		umount -l "$mounted"
	done
	check "$SUITE: the kernel's log is clean" log_is_clean
	echo "# suite $SUITE: $(($(cut -d . -f 1 /proc/uptime) - SUITE_BEGAN)) s"
}

# case_digest DISK OPTIONS: prints length and digest of a case of the manifest.
case_digest()
{
	awk -F '|' -v disk="$1" -v options="$2" \
		'$1 == disk && $2 == options { print $3, $4; found = 1; exit }
		END { if (!found) print 0, "no-such-case" }' /guest/manifest
}
