# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Loading and unloading, with an open file too; nothing may remain.

device_is_gone()
{
	[ ! -e /dev/sendcp ] && ! grep -qw sendcp /proc/misc
}

device_is_there()
{
	[ -c /dev/sendcp ] && grep -qw sendcp /proc/misc &&
		[ "$(stat -c %a /dev/sendcp)" = 600 ] && [ "$(stat -c %u /dev/sendcp)" = 0 ]
}

refuses_to_unload()
{
	! rmmod sendcp 2>/tmp/why && grep 'in use' /tmp/why
}

# An open file that has sent pins the module, but neither mount nor device.
held_open()
{
	rm -f /tmp/held
	ioctltest hold /mnt/plain/s.ro 1000 >/tmp/held &
	HOLDER=$!
	while [ ! -s /tmp/held ]; do sleep 0.1; done
	grep -q holding /tmp/held
}

let_go()
{
	kill -9 $HOLDER
	wait $HOLDER 2>/dev/null
	true
}

again_and_again()
{
	local i

	set -o pipefail
	for ((i = 0; i < 10; i++)); do
		modprobe sendcp && ioctltest stream --no-data /mnt/plain/b | cat >/tmp/stream && rmmod sendcp || break
	done
	set +o pipefail
	[ $i = 10 ]
}

modprobe -q sendcp
check "load: rmmod" rmmod sendcp
check "load: the device is gone" device_is_gone
check "load: modprobe" modprobe sendcp
check "load: the device is there, for root" device_is_there
disk_mount plain
check "load: a process keeps the device open" held_open
check "load: no unloading while it is open" refuses_to_unload
check "load: unmount while it is open" disk_umount plain
check "load: the process ends" let_go
check "load: then it can be unloaded" rmmod sendcp
disk_mount plain
check "load: ten times, with a stream each" again_and_again
rm -f /tmp/stream
disk_umount plain
check "load: nothing of it is left" device_is_gone
