#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --backend on a machine without the kernel module: which backend is used, and which messages are
# printed. The module itself is tested in guests (make check-vm).

load ../lib/suite

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 3000000 /dev/urandom >"$FIX_MOUNT/s/file"
	mkdir "$FIX_MOUNT/s/directory"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/s.ro"
}

setup()
{
	[ ! -e /dev/sendcp ] || skip "/dev/sendcp is there"
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown_file()
{
	fixture_end
}

@test "backend: auto without the module is direct, without a message" {
	run --separate-stderr bash -c '"$SENDCP" send "$0" >auto' "$FIX_MOUNT/s.ro"
	assert_success
	assert_equal "${stderr_lines[0]}" "At subvol $FIX_MOUNT/s.ro"
	[[ ${stderr_lines[1]} == "sendcp: complete: "* ]]
	assert_equal "${#stderr_lines[@]}" 2
	"$SENDCP" send -q --backend direct "$FIX_MOUNT/s.ro" >direct
	"$SENDCP" send -q --backend auto "$FIX_MOUNT/s.ro" >named
	assert cmp auto direct
	assert cmp named direct
}

@test "backend: -v prints one line with the reason for direct, and the backend used" {
	run --separate-stderr bash -c '"$SENDCP" send -v "$0" >auto' "$FIX_MOUNT/s.ro"
	assert_success
	assert_equal "$(grep -c "kernel module" <<<"$stderr")" 1
	assert_regex "$stderr" "backend direct: the kernel module sendcp is not (installed|loaded)"
	assert_regex "$stderr" "filesystem [-0-9a-f]+, backend direct, protocol 1"
	run --separate-stderr bash -c '"$SENDCP" send -v --backend direct "$0" >direct' \
		"$FIX_MOUNT/s.ro"
	assert_success
	refute_regex "$stderr" "kernel module"
}

@test "backend: module without the module is an error that names the remedy" {
	run --separate-stderr "$SENDCP" send -f out --backend module "$FIX_MOUNT/s.ro"
	assert_failure 1
	assert_equal "$output" ""
	assert_equal "$(wc -l <<<"$stderr")" 1
	assert_regex "$stderr" "^sendcp: the kernel module sendcp "
	assert_regex "$stderr" "sendcp-dkms|modprobe sendcp|cannot be loaded"
	assert_file_not_exists out
	assert_file_not_exists out.cp
}

@test "backend: a dry run needs no module" {
	"$SENDCP" send -q "$FIX_MOUNT/s.ro" >stream
	run "$SENDCP" send -q --dry-run --backend module "$FIX_MOUNT/s.ro"
	assert_success
	assert_output "$(file_size stream)"
}

@test "backend: module and direct read mounted filesystems, so neither takes --device" {
	local which

	for which in module direct; do
		run --separate-stderr "$SENDCP" send --backend $which --device x y
		assert_failure 2
		assert_equal "$stderr" "sendcp: --device reads an unmounted filesystem, --backend $which a mounted one; see sendcp send --help"
	done
}

@test "backend: a resume that requires the module changes nothing without it" {
	"$SENDCP" send -q "$FIX_MOUNT/s.ro" >whole
	run bash -c '"$SENDCP" send -q --buffer-size 144K --checkpoint cp "$0" | head -c 1000000 >part' \
		"$FIX_MOUNT/s.ro"
	run "$SENDCP" show --json cp
	assert_output --partial '"backend":"direct"'
	cp cp before
	run --separate-stderr "$SENDCP" resume --backend module --checkpoint cp --at 1000000
	assert_failure 1
	assert_equal "$output" ""
	assert_regex "$stderr" "kernel module"
	assert cmp cp before
	"$SENDCP" resume -q --checkpoint cp --at 1000000 >>part
	assert cmp part whole
}

@test "backend: the example in docs/ioctl.md compiles, and needs the device" {
	awk '/^```c$/ { code = 1; next } /^```$/ { code = 0 } code' "$ROOT/docs/ioctl.md" >example.c
	assert_file_not_empty example.c
	cc -std=gnu11 -Wall -Wextra -Werror -I"$ROOT/include/uapi" -o example example.c
	run --separate-stderr ./example stream cp "$FIX_MOUNT/s.ro" ${FIX_DEVICES# }
	assert_failure
	assert_equal "$output" ""
	assert_regex "$stderr" "/dev/sendcp: No such file"
}
