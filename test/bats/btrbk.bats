#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The real btrbk with sendcp in place of btrfs send and receive: complete transfers, interrupted
# transfers, and the runs after them.

load ../lib/suite

setup_file()
{
	require_mount
	require_program btrbk
	fixture_begin
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" -s install-btrbk BUILD="$BUILD" DESTDIR="$FIX/install" \
		PREFIX=/usr >/dev/null
	mkdir "$FIX/bin"
	# If the file `break` exists, the transfer is interrupted after the number of bytes in it.
	cat >"$FIX/bin/sendcp" <<-SENDCP
		#!/bin/bash
		echo "\$*" >>"$FIX/calls"
		case \$1 in
		send | resume)
			if [ -e "$FIX/break" ]; then
				"$SENDCP" "\$@" | head -c "\$(cat "$FIX/break")"
				exit 75
			fi
			set -o pipefail
			"$SENDCP" "\$@" | tee >(wc -c >"$FIX/count")
			;;
		*) exec "$SENDCP" "\$@" ;;
		esac
	SENDCP
	chmod +x "$FIX/bin/sendcp"
}

teardown_file()
{
	fixture_end
}

setup()
{
	export PATH=$FIX/install/usr/libexec/sendcp/btrbk:$FIX/bin:$PATH
	export SENDCP_BTRBK_STATE=$FIX/state SENDCP_BTRBK_MARGIN=$((8 << 20))
	rm -rf "$FIX"/{state,break,calls,count}
	fixture_mkfs 1 1G
	fixture_mount
	mkdir "$FIX_MOUNT"/{snapshots,target}
	btrfs -q subvolume create "$FIX_MOUNT/data"
	head -c 40M /dev/urandom >"$FIX_MOUNT/data/random"
	echo one >"$FIX_MOUNT/data/small"
	# Source and target are on one filesystem: btrbk allows that, and the data is still copied.
	sed -e "s|/mnt/pool|$FIX_MOUNT|; s|subvolume home|subvolume data|; s|/mnt/backup|$FIX_MOUNT/target|" \
		"$ROOT/docs/examples/btrbk/btrbk.conf" >"$FIX/btrbk.conf"
	echo "lockfile $FIX/lock" | cat - "$FIX/btrbk.conf" >"$FIX/conf" && mv "$FIX/conf" "$FIX/btrbk.conf"
	sed -i 's/timestamp_format .*/timestamp_format long-iso/' "$FIX/btrbk.conf"
}

run_btrbk()
{
	run btrbk -c "$FIX/btrbk.conf" "$@"
}

newest()
{
	ls -d "$1"/data.* | tail -n 1
}

# The newest snapshot was received completely, and nothing else is left.
assert_arrived()
{
	diff -r "$(newest "$FIX_MOUNT/snapshots")" "$(newest "$FIX_MOUNT/target")"
	btrfs subvolume show "$(newest "$FIX_MOUNT/target")" | grep -qE 'Received UUID:[[:space:]]+[0-9a-f]{8}-'
	run find "$FIX_MOUNT/target" -maxdepth 1 -name '.sendcp*'
	assert_output ""
	run find "$FIX/state" -name '*.cp*'
	assert_output ""
}

@test "full, then incremental" {
	run_btrbk run
	assert_success
	assert_arrived
	grep -q '^send ' "$FIX/calls"
	echo two >"$FIX_MOUNT/data/small"
	sleep 1
	run_btrbk run
	assert_success
	assert_arrived
	grep -q '^send .* -p ' "$FIX/calls"
	# The change is much smaller than forty megabytes.
	[ "$(cat "$FIX/count")" -lt 1000000 ]
}

@test "an interrupted transfer is resumed by btrbk resume" {
	echo 30000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	assert_output --partial "interrupted at byte 30000000; the next run resumes"
	run find "$FIX_MOUNT/target" -maxdepth 1 -name 'data.*'
	assert_output ""
	rm "$FIX/break"
	run_btrbk resume
	assert_success
	assert_arrived
	grep -q '^resume .*--at ' "$FIX/calls"
	# 42 MB in all: at most the margin and a batch are sent again.
	[ "$(cat "$FIX/count")" -lt 26000000 ]
}

@test "a transfer that is still running is left alone" {
	local sidecar

	echo 30000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	sidecar=$(find "$FIX/state" -name '*.cp')
	cp "$sidecar" "$FIX/before"
	(
		flock 8
		run_btrbk resume
		assert_failure
	) 8<>"$sidecar"
	cmp "$sidecar" "$FIX/before"
	run find "$FIX/state" -name '*.refused'
	assert_output ""
	rm "$FIX/break"
	run_btrbk resume
	assert_success
	assert_arrived
}

@test "with any umask, only root can read the files kept of a transfer" {
	echo 30000000 >"$FIX/break"
	umask 022
	run_btrbk run
	assert_failure
	run find "$FIX_MOUNT/target" -name '.sendcp-btrbk.*.part' -perm 600
	assert_output
	run find "$FIX_MOUNT/target" "$FIX/state" -maxdepth 1 -name '*sendcp-btrbk*' -perm /077
	assert_output ""
	run find "$FIX/state" -type f -perm /077
	assert_output ""
}

@test "a transfer may be interrupted repeatedly, incremental ones too" {
	run_btrbk run
	assert_success
	head -c 40M /dev/urandom >"$FIX_MOUNT/data/random2"
	sleep 1
	echo 18000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	run_btrbk resume
	assert_failure
	rm "$FIX/break"
	run_btrbk resume
	assert_success
	assert_arrived
	assert_equal "$(grep -c '^resume ' "$FIX/calls")" 2
}

@test "a receiver that lost its part gets the whole stream at the second attempt" {
	echo 30000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	rm "$FIX/break" "$FIX_MOUNT"/target/.sendcp-btrbk.*.part
	run_btrbk resume
	assert_failure
	assert_output --partial "but the sender resumes at byte"
	run_btrbk resume
	assert_success
	assert_arrived
}

@test "streams of other senders are received as usual" {
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/data" "$FIX_MOUNT/snap" >/dev/null
	btrfs send -q "$FIX_MOUNT/snap" | btrfs-receive "$FIX_MOUNT/target"
	diff -r "$FIX_MOUNT/snap" "$FIX_MOUNT/target/snap"
}

@test "a damaged part is not received" {
	echo 30000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	rm "$FIX/break"
	printf 'x' | dd of="$(ls "$FIX_MOUNT"/target/.sendcp-btrbk.*.part)" bs=1 seek=5000000 conv=notrunc status=none
	run_btrbk resume
	assert_failure
	run find "$FIX_MOUNT/target" -maxdepth 1 -name 'data.*'
	assert_output ""
}

@test "a raw target gets the plain stream, from the beginning even after an interruption" {
	mkdir "$FIX_MOUNT/raw"
	sed -i "s|target send-receive .*|target raw $FIX_MOUNT/raw|" "$FIX/btrbk.conf"
	echo 30000000 >"$FIX/break"
	run_btrbk run
	assert_failure
	assert_output --partial "sent from the beginning"
	rm "$FIX/break"
	run_btrbk clean
	run_btrbk resume
	assert_success
	run "$SENDCP" verify -q "$FIX_MOUNT"/raw/data.*.btrfs
	assert_success
	btrfs -q receive -f "$FIX_MOUNT"/raw/data.*.btrfs "$FIX_MOUNT/target"
	diff -r "$(newest "$FIX_MOUNT/snapshots")" "$(newest "$FIX_MOUNT/target")"
	# No state is kept, since nothing could be resumed.
	assert_not_exist "$FIX/state"
}
