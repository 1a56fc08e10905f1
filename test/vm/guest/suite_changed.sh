# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Snapshots that change while the module sends them: data of a changed snapshot must never be part
# of a complete stream. The reader of the pipe reads some bytes, changes the snapshot, and reads on.

# A hold would make the kernel refuse the changes; this tests sends without one.
export SENDCP_NO_HOLD=1

make_snapshots()
{
	btrfs -q subvolume create s && head -c 1000000 /dev/urandom >s/early &&
		head -c 4000000 /dev/urandom >s/later && mkdir s/d && echo last >s/d/last &&
		btrfs -q subvolume snapshot -r s p0 && head -c 1500000 /dev/urandom >s/more &&
		btrfs -q subvolume snapshot -r s c0 && head -c 2500000 /dev/urandom >s/most &&
		btrfs -q subvolume snapshot -r s r0 && btrfs filesystem sync .
}

renew()
{
	local name

	for name; do
		[ ! -e "$name" ] || btrfs -q subvolume delete "$name" || return
		btrfs -q subvolume snapshot -r "${name}0" "$name" || return
	done
	btrfs filesystem sync .
}

writable()
{
	btrfs property set "$VICTIM" ro false
}

overwrite()
{
	writable && printf changed | dd of="$VICTIM/later" bs=1 seek=3900000 conv=notrunc 2>/dev/null
}

cut_short()
{
	writable && truncate -s 2000000 "$VICTIM/later"
}

remove()
{
	writable && rm "$VICTIM/later"
}

change_mode()
{
	writable && chmod 640 "$VICTIM/d/last"
}

delete()
{
	btrfs -q subvolume delete "$VICTIM"
}

and_back()
{
	"$@" && btrfs property set "$VICTIM" ro true
}

and_synced()
{
	"$@" && btrfs filesystem sync .
}

# sent_while CHANGE SENDCP-OPTIONS...: sends r.
sent_while()
{
	local change=$1

	shift
	rm -f /tmp/cp /tmp/made
	{
		sendcp send --backend module --buffer-size 144K --buffers 2 --checkpoint /tmp/cp "$@" r \
			2>/tmp/stderr
		echo $? >/tmp/status
	} | {
		dd bs=1k count=300 iflag=fullblock 2>/dev/null
		$change >&2 && : >/tmp/made
		cat
	} >/tmp/stream
	cat /tmp/stderr
	[ -e /tmp/made ]
}

has_end()
{
	[ "$(tail -c 10 /tmp/stream | head -c 6 | od -An -tx1 | tr -d ' \n')" = 000000001500 ]
}

is_refused()
{
	[ "$(cat /tmp/status)" = 1 ] &&
		grep -E 'the (snapshot|parent .*|clone source .*) was (changed|deleted|replaced by another subvolume) while' /tmp/stderr &&
		! has_end && sendcp show --json /tmp/cp | grep -q '"complete":false' || return
	! sendcp resume --backend module --checkpoint /tmp/cp --at "$(stat -c %s /tmp/stream)" >/tmp/more \
		2>/tmp/refusal && [ ! -s /tmp/more ] && grep -E 'was changed|was replaced|is gone' /tmp/refusal
}

unchanged()
{
	VICTIM=r
	renew p c r && sent_while true && [ "$(cat /tmp/status)" = 0 ] && has_end &&
		sent_while true -p p -c c && [ "$(cat /tmp/status)" = 0 ] && has_end
}

changed()
{
	VICTIM=r
	renew r && sent_while "$@" && is_refused
}

# changed_source NAME CHANGE: changes the parent p, the clone source c, or r itself.
changed_source()
{
	VICTIM=$1
	renew p c r && sent_while "$2" -p p -c c && is_refused
}

move_device()
{
	btrfs device add -f /dev/ram1 . && btrfs device remove /dev/ram0 .
}

# In memory: later suites need the test disks.
replaced_device()
{
	VICTIM=r
	modprobe brd rd_nr=2 rd_size=307200 && mkfs.btrfs -q -f -m single /dev/ram0 &&
		mkdir -p /mnt/ram && mount -o noatime /dev/ram0 /mnt/ram && cd /mnt/ram &&
		make_snapshots && renew r && sent_while move_device || return
	[ "$(cat /tmp/status)" = 75 ] && grep 'a device was removed or replaced' /tmp/stderr &&
		sendcp resume --backend module --checkpoint /tmp/cp --append /tmp/stream && has_end &&
		sendcp send -q --backend direct r >/tmp/whole && cmp /tmp/stream /tmp/whole
}

put_away()
{
	umount /mnt/ram && rmmod brd
}

modprobe sendcp
log_expect 'random: .*urandom|^brd: module (un)?loaded'
check "changed: an empty filesystem" mkfs.btrfs -q -f "$(disk_devices scratch)"
check "changed: mount it" disk_mount scratch rw,commit=300
cd /mnt/scratch || return
check "changed: snapshots" make_snapshots
check "changed: nothing was" unchanged
for CHANGE in writable overwrite "and_back overwrite" "and_synced and_back overwrite" cut_short "and_back cut_short" \
	remove "and_back remove" "and_back change_mode" delete "and_synced delete"; do
	check "changed: $CHANGE" changed "$CHANGE"
done
for CHANGE in writable "and_back overwrite" delete; do
	for VICTIM in p c r; do
		check "changed: $VICTIM of p, c, r: $CHANGE" changed_source $VICTIM "$CHANGE"
	done
done
check "changed: a snapshot for ioctls" renew r
program "changed" ioctltest changed /mnt/scratch/r
cd /tmp || return
check "changed: unmount it" disk_umount scratch
check "changed: the device moves away, and resume goes on" replaced_device
cd /tmp || return
check "changed: unmount that" put_away
rm -f /tmp/cp /tmp/stream /tmp/more /tmp/whole /tmp/made /tmp/changed
