#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests the packages in a booted Debian: built in a root of the suite, put into a signed repository
# (make apt-repo), installed from it by `apt install sendcp-dkms` without a network, used, kept in an
# upgrade to a newer kernel, used again, purged; then runs the packages' own tests with autopkgtest. The guest's results are in $BUILD/vm/install-SUITE/tap, the consoles of its
# boots next to it. The last line is the total: "N passed, N failed".
#
# usage: run.sh [SUITE...]          SUITE: bookworm, trixie; default: both
# SENDCP_INSTALL_UNBOOTED=1 installs into the guest's root before it is booted: compiling the module takes
# two minutes in an emulated guest with two idle processors, and much longer on a busy machine.
# The source is taken from $BUILD/packages, where `make dist` puts it.
set -euo pipefail
source "$(dirname "$0")/../common.sh"

ALL_SUITES="bookworm trixie"
LIMIT=${SENDCP_INSTALL_SECONDS:-2400}

# Runs in a mount namespace of its own. The build runs the packages' build-time tests.
enter()
{
	local root=$1 archive=$2 out=$3

	mount -t tmpfs tmpfs "$root/tmp"
	mount -t proc proc "$root/proc"
	mkdir "$root/tmp/out"
	mount --bind "$out" "$root/tmp/out"
	tar -xzf "$archive" -C "$root/tmp" --strip-components=3 --wildcards '*/test/packages/*.sh'
	cp "$archive" "$root/tmp/source.tar.gz"
	cp "${archive%/*}/debian-${archive##*/}" "$root/tmp/debian-source.tar.gz"
	exec chroot "$root" /usr/bin/env -i HOME=/tmp TMPDIR=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		bash /tmp/deb.sh /tmp/source.tar.gz /tmp/out
}

# unbooted DIRECTORY STAGE: runs a stage of main.sh in the guest's unbooted root: compiling takes
# many minutes in emulation, and makes no difference to apt and dkms.
unbooted()
{
	local dir=$1 stage=$2 root=$1/root

	mkdir -p "$root"
	mount -o loop "$dir/disk.img" "$root"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/run"
	mkdir -p "$root/check"
	# As the root is not booted, no service may be started: it would hold the root.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	tar -xf "$dir/files.tar" -C "$root/check"
	chroot "$root" /usr/bin/env -i HOME=/root bash /check/main.sh "$stage" | tee -a "$dir/tap"
	[ "$stage" != upgrade ] || take_kernel "$dir" "$root" "$(cat "$dir/files/new")"
	rm "$root/usr/sbin/policy-rc.d"
	umount "$root/proc" "$root/run" "$root"
}

take_kernel()
{
	cp "$2/boot/vmlinuz-$3" "$1/vmlinuz"
	cp "$2/boot/initrd.img-$3" "$1/initrd"
}

case ${1:-} in
--enter) enter "${@:2}" ;;
--unbooted)
	unbooted "$2" "$3"
	exit
	;;
esac

accelerator()
{
	if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && [ "${SENDCP_VM_ACCEL:-kvm}" = kvm ]; then
		echo "-accel kvm -cpu host"
	else
		echo "-accel tcg,thread=multi"
	fi
}

# boot DIRECTORY NUMBER KERNEL INITRD: runs until the guest powers off.
boot()
{
	local dir=$1 number=$2

	: >"$dir/said.$number"
	# shellcheck disable=SC2046
	timeout "$LIMIT" qemu-system-x86_64 $(accelerator) -m 1536 -smp 2 -nographic -no-reboot -nic none \
		-kernel "$3" -initrd "$4" -append "root=/dev/vda rw console=ttyS0 panic=-1" \
		-drive file="$dir/disk.img",format=raw,if=virtio,cache=unsafe \
		-drive file="$dir/files.tar",format=raw,if=virtio \
		-serial "file:$dir/console.$number" -serial "file:$dir/said.$number" -monitor none \
		</dev/null >/dev/null 2>"$dir/qemu.$number" || say "qemu ended with status $?: $dir/console.$number"
	cat "$dir/said.$number" >>"$dir/tap"
	tr -d '\r' <"$dir/said.$number"
}

# The repository to install from, by a key of this run only. The directory of the key has sockets, so
# its path must be short.
make_repository()
(
	packages=$1
	key=check-install@key.example
	GNUPGHOME=$(mktemp -d)
	export GNUPGHOME
	trap 'gpgconf --kill gpg-agent; rm -rf --one-file-system "$GNUPGHOME"' EXIT
	gpg --batch --quiet --passphrase '' --quick-gen-key $key rsa3072 sign never
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" --no-print-directory apt-repo KEY=$key \
		PACKAGES_DIR="$packages" APT_URL=file:/check/apt >&2
)

# Makes the guest's disk, and the archive of files it needs.
prepare()
{
	local suite=$1 dir=$2 cache=$CACHE/guest-$1

	rm -rf "$dir/files"
	mkdir "$dir/files"
	cp "$dir"/packages/sendcp_*.{dsc,tar.*,deb} "$dir"/packages/sendcp-{dkms,dev}_*.deb "$dir/files/"
	cp -r "$dir/packages/apt" "$dir/files/"
	cp "$VM/install/main.sh" "$ROOT/debian/tests/round-trip" "$cache/old" "$cache/new" "$dir/files/"
	tar -C "$dir/files" -cf "$dir/files.tar" .
	cp --sparse=always "$cache/disk.img" "$dir/disk.img"
	: >"$dir/tap"
}

stage()
{
	unshare --mount --propagation private "$VM/install/run.sh" --unbooted "$1" "$2"
}

run_suite()
{
	local suite=$1 dir=$OUT/install-$1 cache=$CACHE/guest-$1 archive

	archive=$(ls "$BUILD"/packages/sendcp-*.tar.gz) || die "no source: make dist"
	"$VM/install/root.sh" "$suite"
	rm -rf "$dir"
	mkdir -p "$dir/packages"
	say "$suite: building packages"
	unshare --mount --propagation private "$VM/install/run.sh" --enter "$CACHE/packages-$suite/root" \
		"$archive" "$dir/packages" >&2
	make_repository "$dir/packages"
	prepare "$suite" "$dir"
	[ -z "${SENDCP_INSTALL_UNBOOTED:-}" ] || stage "$dir" installation
	say "$suite: kernel $(cat "$cache/old")"
	boot "$dir" 1 "$cache/vmlinuz" "$cache/initrd"
	stage "$dir" upgrade
	say "$suite: kernel $(cat "$cache/new")"
	boot "$dir" 2 "$dir/vmlinuz" "$dir/initrd"
	stage "$dir" testing
	boot "$dir" 3 "$dir/vmlinuz" "$dir/initrd"
	rm -f "$dir/disk.img"
}

if [ "${1:-}" = --one ]; then
	run_suite "$2"
	exit
fi

[ "$(id -u)" = 0 ] || die "making Debian roots needs root"
suites=("$@")
[ $# -gt 0 ] || read -ra suites <<<"$ALL_SUITES"
passed=0
failed=0
for suite in "${suites[@]}"; do
	"$VM/install/run.sh" --one "$suite" || failed=$((failed + 1))
	tap=$OUT/install-$suite/tap
	grep -q '^# end' "$tap" 2>/dev/null || { say "$suite: the guest did not come to an end"; failed=$((failed + 1)); }
	[ -f "$tap" ] || continue
	passed=$((passed + $(grep -c '^ok ' "$tap" || true)))
	failed=$((failed + $(grep -c '^not ok ' "$tap" || true)))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
