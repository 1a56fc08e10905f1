#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the guest tests on each kernel in turn: fetches it, builds the module, boots, evaluates. The
# last line is the total: "N passed, N failed".
#
# usage: run.sh [OPTIONS] [KERNEL...]          KERNEL: 5.10, 6.1, 6.12, 7.x (default: all),
#                                                or debug
#   --suite NAME        only guest/suite_NAME.sh; may be repeated
#   --shell-script FILE run FILE (bash) in the guest instead; its output comes to standard output and its
#                       status is run.sh's. In it: `modprobe sendcp`, `source /guest/lib.sh`, then
#                       `disk_mount NAME [OPTIONS]` mounts a test disk on /mnt/NAME
#   --add FILE          put FILE into the guest as /guest/its-name; may be repeated
#   --no-module         do not build the module, and have none in the guest (for --shell-script)
#   --time SECONDS      time limit of a guest (default 1800; debug: 10800)
#   --append WORDS      more kernel parameters
#   --memory MB         default 1024
#   --interactive       a shell on the terminal
#   --jobs N            guests at a time (default 2)
#
# The guest's results are in $BUILD/vm/KERNEL/tap, the kernel's messages in console next to it.
# Guests are emulated unless the processor has virtualisation; SENDCP_VM_ACCEL=tcg or kvm overrides
# this.
set -euo pipefail
source "$(dirname "$0")/common.sh"

suites=
script=
added=()
module=1
limit=
append=
memory=1024
interactive=
jobs=2
# A stock kernel needs ten seconds, the debugging kernel on a busy machine a minute.
BEGIN_LIMIT=${SENDCP_VM_BEGIN_LIMIT:-300}

suite_file()
{
	local file

	for file in "$VM/guest/suite_$1.sh" "$VM/guest/debug_$1.sh"; do
		[ -f "$file" ] && echo "/guest/${file##*/}" && return
	done
	die "no such suite: $1"
}

parse_options()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--suite) suites+=" $(suite_file "$2")"; shift ;;
		--shell-script) script=$2; shift ;;
		--add) added+=("$2"); shift ;;
		--no-module) module= ;;
		--time) limit=$2; shift ;;
		--append) append+=" $2"; shift ;;
		--memory) memory=$2; shift ;;
		--interactive) interactive=1 ;;
		--jobs) jobs=$2; shift ;;
		-*) die "no such option: $1" ;;
		*) names+=" $1" ;;
		esac
		shift
	done
}

# The presence of /dev/kvm is not enough: without the processor's support it is slower than
# emulation.
accelerator()
{
	if [ -n "${SENDCP_VM_ACCEL:-}" ]; then
		echo "$SENDCP_VM_ACCEL"
	elif [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
		echo kvm
	else
		echo tcg
	fi
}

# The default processor: `-cpu max` is two to three times slower in emulation. On the default
# machine, the debugging kernel hangs in ACPI's interrupt routing.
machine_options()
{
	case $1 in
	debug) echo "-M q35 -m $((memory * 2))" ;;
	*) echo "-m $memory" ;;
	esac
	case $(accelerator) in
	kvm) echo "-accel kvm -cpu host" ;;
	*) echo "-accel tcg,thread=multi" ;;
	esac
	echo "${SENDCP_VM_MACHINE:-}"
}

# The serial number is the disk's name; the disk named slow is throttled.
disk_options()
{
	local image name extra

	for image in "$OUT"/disks/*.img; do
		name=$(basename "$image" .img)
		extra=
		case $name in slow.*) extra=,throttling.bps-total=1048576 ;; esac
		printf -- '-drive id=%s,if=none,file=%s,format=raw,snapshot=on,cache=unsafe%s\n' \
			"$name" "$image" "$extra"
		printf -- '-device virtio-blk-pci,drive=%s,serial=%s\n' "$name" "$name"
	done
}

# The files of this run only: the tests' data, or a script.
make_run_archive()
{
	local out=$1 root=$1.d

	rm -rf "$root"
	mkdir -p "$root/guest"
	echo "GUEST_SUITES='${suites# }'" >"$root/guest/settings"
	cp "$VM"/guest/*.sh "$VM/guest/clean-log" "$root/guest/"
	[ ! -f "$OUT/disks/manifest" ] || cp "$OUT/disks/manifest" "$root/guest/"
	[ -z "$script" ] || cp "$script" "$root/guest/script"
	[ ${#added[@]} -eq 0 ] || cp "${added[@]}" "$root/guest/"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet) >"$out"
	rm -rf "$root"
}

# In the debugging kernel the allocator checks each object too.
kernel_parameters()
{
	local checks=

	[ "$1" != debug ] || checks=" slub_debug"
	echo "console=ttyS0 quiet panic=-1$checks$append"
}

# A kernel that hangs before its first process would otherwise use up the guest's time limit.
end_if_not_begun()
{
	local dir=$1 left

	for ((left = BEGIN_LIMIT; left > 0; left--)); do
		sleep 1
		! grep -q '^# guest-begins' "$dir/tap" 2>/dev/null || return 0
	done
	echo "# no first process after $BEGIN_LIMIT s" >>"$dir/console"
	kill "$(cat "$dir/pid")"
}

boot()
{
	local dir=$1 kernel=$2 default_limit=1800 status=0 talk=(-serial "file:$1/tap")

	[ "$3" != debug ] || default_limit=10800
	[ -z "$script" ] || talk=(-chardev "stdio,id=talk,signal=off,logfile=$dir/tap" -serial chardev:talk)
	end_if_not_begun "$dir" &
	# shellcheck disable=SC2046
	TMPDIR=${TMPDIR:-/var/tmp} timeout --foreground -k 5 \
		"${limit:-$default_limit}" qemu-system-x86_64 $(machine_options "$3") \
		-pidfile "$dir/pid" -smp 2 -display none -monitor none -no-reboot -nodefaults -net none \
		-kernel "$kernel" -initrd "$dir/initrd" \
		-append "$(kernel_parameters "$3")" \
		-serial "file:$dir/console" "${talk[@]}" $(disk_options) || status=$?
	kill $! 2>/dev/null || true
	return $status
}

# A guest that crashed or hung before its first process is started again, at most twice:
# multi-threaded emulation crashes one in a hundred in the kernel's early code patching. Later
# failures are not retried.
boot_until_begun()
{
	local name=$1 dir=$OUT/$1 attempt

	for attempt in 1 2 3; do
		rm -f "$dir/tap" "$dir/console"
		boot "$dir" "$CACHE/kernel-$name/vmlinuz" "$name" || echo "# qemu ended with status $? (124: out of time)" >>"$dir/console"
		! grep -q '^# guest-begins' "$dir/tap" 2>/dev/null || return 0
		say "the guest died or hung before its first process, attempt $attempt"
	done
}

prepare()
{
	local name=$1 dir=$OUT/$1

	"$VM/fetch.sh" "$name"
	mkdir -p "$dir"
	if [ -n "$module" ]; then
		"$VM/build.sh" "$name" >"$dir/build.log" 2>&1 || { cat "$dir/build.log" >&2; return 1; }
	fi
	WITH_MODULE=$module "$VM/initramfs.sh" modules "$name" "$dir/modules.cpio"
	cat "$OUT/programs.cpio" "$dir/modules.cpio" "$OUT/run.cpio" >"$dir/initrd"
}

# judge TAP: counts; tests missing from the plan are failures, and so is a missing plan.
judge()
{
	tr -d '\r' <"$1" | awk '
		/^ok / { passed++ }
		/^not ok / { failed++ }
		/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0; plans++ }
		/^# guest-ends/ { ended = 1 }
		/^Bail out!/ { failed++ }
		END {
			if (plans != 1 || !ended || !plan) {
				print "not ok - the guest did not come to its end"
				failed++
			} else if (plan != passed + failed) {
				print "not ok - " plan " tests planned, " passed + failed " ran"
				failed++
			}
			print passed + 0, failed + 0
		}'
}

run_tests()
{
	local name=$1 dir=$OUT/$1 begin=$SECONDS

	rm -f "$dir/result"
	if ! prepare "$name"; then
		echo "0 1" >"$dir/result"
		echo "not ok - kernel $name could not be prepared"
		return
	fi
	boot_until_begun "$name"
	touch "$dir/tap"
	echo "# kernel $name, $(cat "$CACHE/kernel-$name/release"), $((SECONDS - begin)) s"
	tr -d '\r' <"$dir/tap" | grep -E '^(ok|not ok|#|1\.\.|Bail)' || true
	judge "$dir/tap" >"$dir/judged"
	sed '$d' "$dir/judged"
	tail -1 "$dir/judged" >"$dir/result"
	read -r _ failed <"$dir/result"
	[ "$failed" -eq 0 ] || tail -40 "$dir/console"
}

run_script()
{
	local name=$1 dir=$OUT/$1

	prepare "$name"
	boot_until_begun "$name" </dev/null
	status=$(tr -d '\r' <"$dir/tap" | sed -nE 's/^# script ended with status ([0-9]+)$/\1/p')
	[ -n "$status" ] || { tail -40 "$dir/console" >&2; die "the guest did not come to its end"; }
	return "$status"
}

names=
parse_options "$@"
# shellcheck disable=SC2086
names=$(kernel_names $names)
[ -x "$BUILD/sendcp" ] || die "$BUILD/sendcp has to be built first (make BUILD=...)"
mkdir -p "$OUT"
if [ -n "$interactive" ]; then
	script=$(mktemp)
	echo 'setsid bash -i' >"$script"
fi
"$VM/disks.sh"
"$VM/initramfs.sh" programs "$OUT/programs.cpio"
make_run_archive "$OUT/run.cpio"
if [ -n "$script" ]; then
	for name in $names; do
		run_script "$name"
	done
	exit
fi
passed=0
failed=0
for name in $names; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || true
	done
	run_tests "$name" &
done
wait
for name in $names; do
	read -r good bad <"$OUT/$name/result"
	passed=$((passed + good))
	failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
