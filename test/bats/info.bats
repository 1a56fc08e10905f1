#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp info: backends, versions, libraries.

load ../lib/suite

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "info: backends, protocols, compat kernel and libraries" {
	local word

	run --separate-stderr "$SENDCP" info
	assert_success
	assert_equal "$stderr" ""
	assert_line --regexp "^sendcp: +$("$SENDCP" --version | cut -d' ' -f2)$"
	assert_line --regexp "^compat kernel: +618 \(of Linux 6\.18\)$"
	assert_line --regexp "^protocols: +1 to 2$"
	assert_line --regexp "^module ABI: +[0-9]+$"
	assert_line --regexp "^backend module: +(ready: version .*|not available: .+)$"
	assert_line --regexp "^backend direct: +(ready|not available: needs root.*)$"
	assert_line --regexp "^backend image: +ready$"
	for word in libarchive libblkid libbtrfsutil libgcrypt libisal json-c liblzo2 libxxhash \
		libzstd zlib; do
		assert_line --regexp " $word [0-9]+(\.[0-9]+)+$"
	done
}

@test "info: --json is one object with the same members" {
	require_program jq
	run --separate-stderr "$SENDCP" info --json
	assert_success
	jq -e '.version and .compat_kernel == 618 and .protocol_min == 1 and
		.protocol_max == 2 and (.abi_version | type == "number") and
		(.backends | keys == ["direct", "image", "module"]) and .backends.image.available and
		([.backends[] | .available | type == "boolean"] | all) and
		([.backends[] | .available or (.reason | length > 0)] | all) and
		(.libraries | length == 10) and
		([.libraries[] | test("^[0-9]+([.][0-9]+)+$")] | all)' <<<"$output"
}

@test "info: without the module, prints the reason" {
	[ ! -e /dev/sendcp ] || skip "/dev/sendcp is there"
	require_program jq
	run "$SENDCP" info --json
	assert_success
	jq -e '.backends.module | (.available | not) and (.reason | test("kernel module")) and
		(has("version") | not)' <<<"$output"
}

@test "info: without root, the direct backend is not available" {
	[ "$(id -u)" = 0 ] || skip "needs root to give it up"
	require_program setpriv
	install -m 755 "$SENDCP" sendcp
	chmod 755 .
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$PWD/sendcp" info
	if [ "$status" = 126 ] || [ "$status" = 127 ]; then
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$SENDCP" info
	fi
	assert_success
	assert_line --regexp "^backend direct: +not available: needs root"
	assert_line --regexp "^backend image: +ready$"
}

@test "info: takes no arguments, and a full disk as output is a failure" {
	run "$SENDCP" info x
	assert_failure 2
	run "$SENDCP" info --backend direct
	assert_failure 2
	run bash -c '"$SENDCP" info >/dev/full'
	assert_failure 1
	assert_output "sendcp: cannot write to standard output"
	run "$SENDCP" info --help
	assert_success
	assert_output --partial "--json"
}
