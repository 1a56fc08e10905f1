# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The command line's use of the module: finding it, loading it, working without it; the same
# streams; interrupted, and resumed with other backends.

module_away()
{
	if grep -q '^sendcp ' /proc/modules; then
		rmmod sendcp
	fi
	MODULE_FILE=$(find "/lib/modules/$(uname -r)" -name 'sendcp.ko*')
	mv "$MODULE_FILE" /tmp/module-away
	depmod
}

module_back()
{
	mv /tmp/module-away "$MODULE_FILE"
	depmod
}

is_digest()
{
	local length=$1 digest=$2

	[ "$(stat -c %s /tmp/stream)" = "$length" ] || { echo "$(stat -c %s /tmp/stream) bytes"; return 1; }
	[ "$(xxh128sum </tmp/stream | cut -d ' ' -f 1)" = "$digest" ]
}

absent_auto()
{
	sendcp send -v --progress=never /mnt/plain/a 2>/tmp/stderr >/tmp/stream || return
	cat /tmp/stderr
	[ "$(grep -c 'kernel module' /tmp/stderr)" = 1 ] &&
		grep -q '^backend direct: the kernel module sendcp is not installed' /tmp/stderr &&
		sendcp send --progress=never /mnt/plain/a 2>/tmp/stderr >/tmp/again &&
		[ "$(grep -v '^sendcp: complete: ' /tmp/stderr)" = "At subvol /mnt/plain/a" ] && cmp /tmp/stream /tmp/again
}

absent_insisted()
{
	sendcp send --backend module /mnt/plain/a >/tmp/stream 2>/tmp/stderr
	[ $? = 1 ] && cat /tmp/stderr && [ ! -s /tmp/stream ] &&
		grep -q 'not installed for kernel' /tmp/stderr
}

# Installed, but not loaded: sendcp loads it.
loads_it()
{
	[ ! -e /dev/sendcp ] && sendcp info | grep 'installed .* but not loaded' &&
		sendcp send -v --progress=never /mnt/plain/a 2>/tmp/stderr >/tmp/stream &&
		grep ', backend module,' /tmp/stderr && [ -c /dev/sendcp ] &&
		sendcp info | grep '^backend module: *ready: version '
}

unprivileged()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		sendcp send /mnt/plain/a >/tmp/stream 2>/tmp/stderr
	[ $? = 1 ] && cat /tmp/stderr && [ ! -s /tmp/stream ]
}

stream_is_by_module()
{
	sendcp send -q --backend module "${@:3}" >/tmp/stream && is_digest "$1" "$2"
}

module_case()
{
	check "module host, $DISK: ${*:3}" stream_is_by_module "$@"
}

# A new open file of the device for every command.
stepping()
{
	sendcp send -q --backend direct "$@" >/tmp/stream &&
		sendcp send -q --backend module --step "$@" >/tmp/again && cmp /tmp/stream /tmp/again
}

# go_on OPTIONS...: resumes, and appends the next part of the stream to /tmp/part.
go_on()
{
	sendcp resume -q --checkpoint /tmp/cp --at "$(stat -c %s /tmp/part)" "$@" | head -c 400001 >>/tmp/part
}

across_hosts()
{
	local device

	device=$(disk_devices plain)
	rm -f /tmp/cp /tmp/part
	sendcp send -q --backend direct "$@" >/tmp/stream
	sendcp send -q --backend module --buffer-size 144K --checkpoint /tmp/cp "$@" | head -c 333333 >/tmp/part
	sendcp show --json /tmp/cp | grep '"backend":"module"' || return
	go_on --backend direct
	go_on
	# The image backend reads unmounted devices.
	disk_umount plain
	go_on --device "$device"
	disk_mount plain
	sendcp resume -v --checkpoint /tmp/cp --at "$(stat -c %s /tmp/part)" 2>/tmp/stderr >>/tmp/part
	grep ', backend module,' /tmp/stderr && cmp /tmp/stream /tmp/part
}

part_size()
{
	stat -c %s /tmp/part 2>/dev/null || echo 0
}

# Killed after each further megabyte, until the stream is complete. Then the sidecar is removed,
# even if the signal comes between END and exit. From a slow disk, so that a fast machine is not
# done before it is killed.
killed_often()
{
	local child status=137 runs=0 size=0

	echo 3 >/proc/sys/vm/drop_caches
	rm -f /tmp/part /tmp/part.cp
	set -- sendcp send -q --backend module --buffer-size 144K --checkpoint-interval 256K \
		-f /tmp/part /mnt/slow/few.ro
	while [ $runs -lt 20 ]; do
		"$@" &
		child=$!
		while kill -0 $child && [ "$(part_size)" -lt $((size + (1 << 20))) ]; do
			sleep 0.1
		done 2>/dev/null
		kill -KILL $child 2>/dev/null
		wait $child
		status=$?
		size=$(part_size)
		runs=$((runs + 1))
		[ $status = 137 ] && [ -e /tmp/part.cp ] || break
		set -- sendcp resume -q --backend module --checkpoint /tmp/part.cp
	done
	echo "$runs runs, status $status"
	[ $status = 0 ] || [ $status = 137 ] || return
	[ ! -e /tmp/part.cp ] && [ $runs -gt 1 ] &&
		sendcp send -q --backend direct /mnt/slow/few.ro | cmp - /tmp/part
}

# Hundredths of a second since boot.
hundredths()
{
	local uptime

	read -r uptime _ </proc/uptime
	echo "${uptime/./}"
}

# Kilobytes read from the slow disk so far.
slow_disk_gave()
{
	awk '{ print int($3 / 2) }' "/sys/block/$(basename "$(disk_devices slow)")/stat"
}

# stop SIGNAL SIZE: begins a stream from a disk of 1 MB/s with calls of SIZE bytes, and sends SIGNAL
# during the first call. Sets STATUS, TOOK (hundredths of a second) and the KiB read BEFORE and
# AFTER the signal.
stop()
{
	local child

	echo 3 >/proc/sys/vm/drop_caches
	rm -f /tmp/part /tmp/part.cp
	BEFORE=$(slow_disk_gave)
	sendcp send -q --backend module --buffer-size "$2" -f /tmp/part /mnt/slow/s.ro 2>/tmp/stderr &
	child=$!
	while [ ! -s /tmp/part.cp ] && kill -0 $child; do
		sleep 0.2
	done
	sleep 0.5
	AFTER=$(slow_disk_gave)
	BEFORE=$((AFTER - BEFORE))
	TOOK=$(hundredths)
	kill "-$1" $child
	wait $child
	STATUS=$?
	TOOK=$(($(hundredths) - TOOK))
	AFTER=$(($(slow_disk_gave) - AFTER))
	cat /tmp/stderr
	echo "status $STATUS after ${TOOK}0 ms, $(stat -c %s /tmp/part) bytes; read: $BEFORE KiB, then $AFTER KiB"
}

# Measured in KiB read, which does not depend on the machine: a complete call reads 16 MiB; an
# interrupted one waits at most for readahead, of this window and the next.
stopped_by_sigterm()
{
	local window

	window=$(cat /sys/class/bdi/btrfs-*/read_ahead_kb)
	stop TERM 16M
	[ $STATUS = 75 ] && [ "$AFTER" -le $((2 * window)) ] && [ $((BEFORE + AFTER)) -lt 16384 ] &&
		[ "$(stat -c %s /tmp/part)" -lt $((8 << 20)) ]
}

stopped_by_sigkill()
{
	stop KILL 16M
	[ $STATUS = 137 ] && [ "$TOOK" -lt 100 ]
}

check "backend: mount" disk_mount plain
module_away
check "backend: without the module auto is direct, and -v says so" absent_auto
check "backend: insisting on what is not there is an error" absent_insisted
module_back
check "backend: the module is loaded when it is installed" loads_it
check "backend: not for everybody" unprivileged
check "backend: a new file for every command" stepping -p /mnt/plain/a /mnt/plain/b
check "backend: a new file for every command, compressed" stepping --compressed-data /mnt/plain/a
check "backend: full, module to direct to module to image to module" across_hosts /mnt/plain/b
check "backend: incremental, across all hosts" across_hosts -c /mnt/plain/a /mnt/plain/b
check "backend: unmount" disk_umount plain
# suite_streams sends all disks by ioctl; here, several devices and many clone sources are enough.
for DISK in plain raid1 history2; do
	check "mount $DISK" disk_mount "$DISK"
	each_case "$DISK" module_case
	check "unmount $DISK" disk_umount "$DISK"
done
check "backend: mount the slow disk" disk_mount slow
log_expect 'drop_caches: 3'
log_expect 'random: .*urandom'
check "backend: killed over and over" killed_often
check "backend: SIGTERM ends a call that would be long" stopped_by_sigterm
check "backend: SIGKILL does at once" stopped_by_sigkill
check "backend: unmount the slow disk" disk_umount slow
rm -f /tmp/stream /tmp/again /tmp/part /tmp/part.cp /tmp/cp
