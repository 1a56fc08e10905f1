# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The filesystems of faults.py, for test/reliability/faults.sh and faults.bats: one in an image,
# and one that is mounted.

faults_begin()
{
	export PYTHONDONTWRITEBYTECODE=1
	[ -e "$TOOLS/failcall.so" ] || { echo "make test-tools builds what is needed here" >&2; return 1; }
	fixture_begin
	export IMAGE=$FIX/image
	fixture_mkfs 1 256M
	fixture_mount
	python3 "$ROOT/test/lib/faults_tree.py" "$FIX_MOUNT" || return
	fixture_umount
	cp --sparse=always "$FIX/disk0.img" "$IMAGE"
	fixture_mkfs 1 256M
	fixture_mount
	python3 "$ROOT/test/lib/faults_tree.py" "$FIX_MOUNT" || return
	mkdir "$FIX/work"
	mount -t tmpfs -o size=512M tmpfs "$FIX/work"
}

# A run that was interrupted has a sendcp that ends a moment later.
faults_end()
{
	while mountpoint -q "$FIX/work" && ! umount "$FIX/work" 2>/dev/null; do
		sleep 0.1
	done
	fixture_end
}
