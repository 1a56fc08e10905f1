# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shared by the scripts of the test guests: the kernels, the paths, and making a directory.
#
# In the cache ($SENDCP_VM_CACHE, or sendcp-vm in the user's cache directory):
#   apt-SUITE/      private package lists        root-SUITE/    compiler and shell to build in
#   kernel-NAME/    release, vmlinuz, modules/, headers/
# In the build directory ($BUILD/vm): NAME/ with the module and the log of a run, disks/.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # Of the scripts that read this file.
VM=$ROOT/test/vm
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
# shellcheck disable=SC2034 # Of the scripts that read this file.
OUT=$BUILD/vm
# shellcheck disable=SC2034 # Of the scripts that read this file.
CACHE=${SENDCP_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sendcp-vm}
ALL_KERNELS="5.10 6.1 6.12 7.x"
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

die()
{
	echo "${0##*/}: $1" >&2
	exit 1
}

say()
{
	echo "# $*" >&2
}

# The suites whose current kernel may match; the first that does is used.
kernel_suites()
{
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	7.x) echo trixie-backports sid ;;
	debug) echo bookworm ;;
	*) die "no such kernel: $1 (there are: $ALL_KERNELS)" ;;
	esac
}

# Kernels as named on the command line: 7, 7.2, v6.1, a list with commas; none means all.
kernel_names()
{
	local name

	# shellcheck disable=SC2048,SC2086
	set -- ${*//,/ }
	[ $# -gt 0 ] || set -- $ALL_KERNELS
	for name; do
		name=${name#v}
		case $name in 7 | 7.*) name=7.x ;; esac
		kernel_suites "$name" >/dev/null || exit 1
		echo "$name"
	done
}

# make_dir DIRECTORY COMMAND...: COMMAND fills the directory passed as its last argument, which is
# then renamed to DIRECTORY. If interrupted, it leaves no DIRECTORY; concurrent calls wait for each
# other. Not for use in conditions: the command relies on `set -e`.
make_dir()
{
	local dir=$1 lock

	shift
	mkdir -p "$(dirname "$dir")"
	exec {lock}>"$dir.lock"
	flock "$lock"
	if [ ! -d "$dir" ]; then
		rm -rf --one-file-system "$dir.partial"
		mkdir "$dir.partial"
		"$@" "$dir.partial"
		mv "$dir.partial" "$dir"
	fi
	exec {lock}>&-
}
