# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A running send protects its subvolumes, as a native send does: on this kernel, by direct backend
# and module.

# begin COMMAND...: starts COMMAND with output into a pipe, and reads the first bytes from file
# descriptor 7: the command is in the middle of its stream and waits.
begin()
{
	rm -f /tmp/pipe
	mkfifo /tmp/pipe
	"$@" >/tmp/pipe 2>/tmp/stderr &
	CHILD=$!
	exec 7</tmp/pipe
	# Not head: busybox's reads more than it prints.
	dd bs=17 count=1 <&7 >/tmp/got 2>/dev/null
	[ "$(stat -c %s /tmp/got)" = 17 ]
}

send_begun()
{
	begin sendcp send -v --backend "$BACKEND" -p /mnt/scratch/a -c /mnt/scratch/c /mnt/scratch/b &&
		! grep "not protected" /tmp/stderr && HOLDER=$(holders_of $CHILD) &&
		[ -n "$HOLDER" ]
}

# ends_with STATUS: reads the rest of the stream, and checks the exit status.
ends_with()
{
	local status

	cat <&7 >>/tmp/got
	exec 7<&-
	wait $CHILD
	status=$?
	cat /tmp/stderr
	echo "status $status"
	[ $status = "$1" ]
}

is_held()
{
	local name

	for name in b a c; do
		btrfs subvolume delete /mnt/scratch/$name >/tmp/refused 2>&1 && return 1
		grep 'Operation not permitted' /tmp/refused || return
		btrfs property set /mnt/scratch/$name ro false >/tmp/refused 2>&1 && return 1
		grep 'Operation not permitted' /tmp/refused || return
		[ "$(btrfs property get /mnt/scratch/$name ro)" = ro=true ] || return
	done
}

# Deletes each subvolume and restores it under its name, for the next test.
is_free()
{
	local name

	for name in b a c; do
		btrfs subvolume snapshot -r /mnt/scratch/$name /mnt/scratch/new &&
			btrfs subvolume delete /mnt/scratch/$name &&
			mv /mnt/scratch/new /mnt/scratch/$name &&
			btrfs property set /mnt/scratch/$name ro false &&
			btrfs property set /mnt/scratch/$name ro true || return
	done
}

is_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# After SIGKILL of the send, no process waits for the holder.
soon_gone()
{
	until is_gone "$1"; do sleep 0.05; done
}

stopped()
{
	kill -STOP "$1"
	until grep -q '^State:.T' "/proc/$1/status"; do sleep 0.05; done
}

held_and_free()
{
	SENDCP_NO_HOLD=1 sendcp send -q -p /mnt/scratch/a -c /mnt/scratch/c /mnt/scratch/b >/tmp/whole &&
		send_begun && is_held && ends_with 0 && is_gone "$HOLDER" && is_free && cmp /tmp/got /tmp/whole
}

held_while_stopped()
{
	send_begun && stopped $CHILD && is_held && kill -CONT $CHILD && is_held && ends_with 0 && is_free
}

# killed WHICH...: stops these processes, then kills the send with SIGKILL.
killed()
{
	local which

	send_begun || return
	for which; do stopped "${!which}"; done
	kill -KILL $CHILD
	ends_with 137 && soon_gone "$HOLDER" && is_free
}

ended_by_reader()
{
	send_begun && exec 7<&- && ! wait $CHILD && is_gone "$HOLDER" && is_free
}

# A holder that was stopped, as by the freezer, holds again after SIGCONT.
holder_stopped()
{
	send_begun && stopped "$HOLDER" && btrfs property set /mnt/scratch/c ro false &&
		btrfs property set /mnt/scratch/c ro true && kill -CONT "$HOLDER" || return
	until grep -q '^State:.S' "/proc/$HOLDER/status"; do sleep 0.05; done
	is_held && kill -KILL $CHILD && ends_with 137 && soon_gone "$HOLDER"
}

# Before Linux 5.13 a balance and a native send exclude each other, and so do a balance and a hold.
balance_excludes_send()
{
	local major minor

	IFS=. read -r major minor _ < <(uname -r)
	[ $((major * 100 + minor)) -lt 513 ]
}

balance_beside_send()
{
	if balance_excludes_send; then
		! btrfs balance start --full-balance /mnt/scratch
	else
		btrfs balance start --full-balance /mnt/scratch
	fi
}

# not_held SENDS: whether one of that many sends could not hold because of a balance, and reported
# it.
not_held()
{
	local i

	for ((i = 0; i < $1; i++)); do
		sendcp send -v --backend "$BACKEND" /mnt/scratch/b 2>/tmp/stderr | cmp - /tmp/whole || return 2
		grep '^the subvolumes are not protected (a balance or' /tmp/stderr && return
	done
	return 1
}

# If they exclude each other, one of very many sends meets a balance; otherwise none of a few does.
send_beside_balance()
{
	local status balance

	SENDCP_NO_HOLD=1 sendcp send -q --backend "$BACKEND" /mnt/scratch/b >/tmp/whole || return
	rm -f /tmp/stop
	while [ ! -e /tmp/stop ]; do
		btrfs balance start --full-balance /mnt/scratch
	done >/dev/null 2>&1 &
	balance=$!
	if balance_excludes_send; then
		not_held 300
		status=$?
	else
		not_held 10
		status=$(($? != 1))
	fi
	touch /tmp/stop
	wait $balance
	return $status
}

the_rest_goes_on()
{
	send_begun &&
		btrfs subvolume snapshot /mnt/scratch/b /mnt/scratch/copy && echo new >/mnt/scratch/copy/new &&
		btrfs filesystem sync /mnt/scratch && sync &&
		btrfs send -q -f /tmp/whole /mnt/scratch/b && sendcp verify /tmp/whole &&
		sendcp send -q /mnt/scratch/b >/tmp/whole && sendcp verify /tmp/whole && balance_beside_send &&
		fsfreeze --freeze /mnt/scratch && fsfreeze --unfreeze /mnt/scratch &&
		mount -o remount,ro /mnt/scratch && mount -o remount,rw /mnt/scratch &&
		btrfs subvolume delete /mnt/scratch/copy && is_held && ! umount /mnt/scratch && ends_with 0 &&
		is_free
}

umount_after_end()
{
	umount /mnt/scratch && disk_mount scratch rw
}

# The holder's proportional share of memory.
cost()
{
	local kib

	send_begun || return
	kib=$(awk '/^Pss:/ { print $2 }' "/proc/$HOLDER/smaps_rollup")
	echo "# hold, $BACKEND: $kib KiB" >>/tmp/hold-cost
	ends_with 0 && [ "$kib" -lt 2048 ]
}

make_subvolumes()
{
	cd /mnt/scratch &&
		btrfs subvolume create s && head -c 1000000 /dev/urandom >s/f && btrfs subvolume snapshot -r s a &&
		cp s/f s/g && btrfs subvolume snapshot -r s c &&
		head -c 3000000 /dev/urandom >s/h && btrfs subvolume snapshot -r s b
	cd /tmp || return
}

log_expect 'attempt to delete subvolume'
log_expect 'Attempt to set subvolume .* read-write during send'
log_expect 'balance|relocating|found [0-9]+ extents|scrub'
# A fast machine balances so often that the kernel suppresses messages. It says so with the next
# message that it prints, which may be the next suite's.
log_expect_late '^_?btrfs_printk: [0-9]+ callbacks suppressed'
check "hold: a filesystem" mkfs.btrfs -q -f "$(disk_devices scratch)"
check "hold: mount it" disk_mount scratch rw
check "hold: snapshots" make_subvolumes
rm -f /tmp/hold-cost
for BACKEND in direct module; do
	check "hold, $BACKEND: neither deleted nor changed until the end" held_and_free
	check "hold, $BACKEND: also while the send is stopped" held_while_stopped
	check "hold, $BACKEND: free after kill -9" killed
	check "hold, $BACKEND: free after kill -9 when stopped" killed CHILD
	check "hold, $BACKEND: free after kill -9 when the holder was stopped" killed HOLDER
	check "hold, $BACKEND: free after the reader has gone" ended_by_reader
	check "hold, $BACKEND: a holder that was stopped itself" holder_stopped
	check "hold, $BACKEND: the rest of the filesystem goes on" the_rest_goes_on
	check "hold, $BACKEND: a balance all the while" send_beside_balance
	check "hold, $BACKEND: unmount after the end" umount_after_end
	check "hold, $BACKEND: it costs little memory" cost
done
cat /tmp/hold-cost
check "hold: unmount" disk_umount scratch
rm -f /tmp/whole /tmp/got /tmp/pipe /tmp/refused /tmp/hold-cost
