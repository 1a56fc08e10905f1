# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Packages of any Debian suite, without changing the host: apt with the host's mirror, proxy and
# keys, but its own package lists; and chroot directories made of these packages.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# The tools that kbuild runs, besides the compiler.
BUILD_TOOLS="make bash dash coreutils sed grep mawk findutils diffutils gzip"

# The host's mirror of Debian; security updates are next to it.
mirror()
{
	local label=$1 default=$2 found

	found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' "Label: $label" 2>/dev/null |
		awk '{ print $NF; exit }')
	found=${found:-$default}
	echo "${found%/}"
}

write_sources()
{
	local suite=$1 base security

	base=$(mirror Debian http://deb.debian.org/debian)
	security=$(mirror Debian-Security http://deb.debian.org/debian-security)
	case $suite in
	sid) echo "$base sid" ;;
	*-backports) printf '%s\n' "$base ${suite%-*}" "$base $suite" "$security ${suite%-*}-security" ;;
	*) printf '%s\n' "$base $suite" "$security $suite-security" ;;
	esac | sed "s|.*|deb [signed-by=$KEYRING] & main|"
}

# This configuration is read after the host's, and redirects apt from the host's state.
write_config()
{
	local dir=$1

	cat <<EOF
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::State::extended_states "$dir/extended_states";
Dir::Cache "$dir";
Dir::Cache::archives "$dir/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$dir";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
}

apt_lists()
{
	local suite=$1 dir=$2 final=$CACHE/apt-$1

	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	: >"$dir/status"
	write_sources "$suite" >"$dir/sources.list"
	write_config "$dir" >"$dir/apt.conf"
	say "package lists of $suite"
	APT_CONFIG=$dir/apt.conf apt-get -qq update >&2
	write_config "$final" >"$dir/apt.conf"
}

# apt SUITE COMMAND...
apt()
{
	local suite=$1 target=

	shift
	# Packages from backports are only used if requested.
	case $suite in *-backports) target=--target-release=$suite ;; esac
	# shellcheck disable=SC2086
	APT_CONFIG=$CACHE/apt-$suite/apt.conf apt-get -qq -y $target "$@"
}

# All packages that an installation of the current kernel and its headers would get, one a line.
kernel_packages()
{
	apt "$1" --print-uris install linux-image-amd64 linux-headers-amd64 |
		sed -nE "s|^'.*' ([^_ ]+)_.*|\1|p"
}

# The first of the kernel's suites whose current kernel matches.
kernel_suite()
{
	local name=$1 suite pattern=${1/%.x/.}

	for suite in $(kernel_suites "$name"); do
		make_dir "$CACHE/apt-$suite" apt_lists "$suite"
		if kernel_packages "$suite" | grep -q "^linux-headers-${pattern//./\\.}"; then
			echo "$suite"
			return
		fi
	done
	die "no kernel $name in: $(kernel_suites "$name")"
}

# unpack DIRECTORY DEB [TAR-ARGUMENTS...]: without running the package's scripts.
unpack()
{
	local dir=$1 deb=$2

	shift 2
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink --wildcards "$@"
}

download()
{
	local suite=$1 dir=$2

	shift 2
	mkdir -p "$dir"
	(cd "$dir" && apt "$suite" download "$@") >&2
}

# root_packages SUITE [PACKAGE...]: the contents of a compiler root: the kernel's compiler, tools,
# more packages, and their dependencies.
root_packages()
{
	local suite=$1 packages compiler kbuild

	shift
	packages=$(kernel_packages "$suite")
	compiler=$(sed -nE 's/^(gcc-[0-9]+)(-x86-64-linux-gnu)?$/\1/p' <<<"$packages" | sort -V | tail -1)
	[ -n "$compiler" ] || die "the compiler of the kernel of $suite is not known"
	kbuild=$(grep -E '^linux-kbuild-[0-9]' <<<"$packages")
	# shellcheck disable=SC2086
	apt "$suite" --print-uris install $BUILD_TOOLS $compiler $kbuild "$@" |
		sed -nE "s|^'.*' ([^_ ]+)_.*|\1|p" | grep -vE '^(linux-(kbuild|headers|image|binary|modules|base|compiler)-.*|linux-base|debconf|dpkg|tar)$'
}

# The links that the packages' scripts would make.
link_tools()
{
	local root=$1 compiler

	[ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
	[ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
	for compiler in "$root"/usr/bin/gcc-[0-9]*; do
		[ -e "$root/usr/bin/gcc" ] || ln -s "${compiler##*/}" "$root/usr/bin/gcc"
	done
}

# make_root SUITE [PACKAGE...] DIRECTORY
make_root()
{
	local suite=$1 root=${*: -1} more=("${@:2:$#-2}") name deb

	say "compiler of $suite ${more[*]}"
	# shellcheck disable=SC2046
	download "$suite" "$root/debs" $(root_packages "$suite" "${more[@]}")
	for name in bin sbin lib lib64; do
		mkdir -p "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	mkdir -p "$root"/{proc,dev,tmp,src,usr/src}
	for deb in "$root"/debs/*.deb; do
		unpack "$root" "$deb" --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' \
			--exclude='./usr/lib/gcc/*/lto1' --exclude='./var/*'
	done
	rm -r "$root/debs"
	link_tools "$root"
}
