#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a signed apt repository of the packages, binary and source, that `make deb` made of this tree.
#
# usage: apt-repo.sh PACKAGES-DIRECTORY KEY ADDRESS, in the source's directory, with SOURCE_DATE_EPOCH set
# It is PACKAGES-DIRECTORY/apt, to be published at ADDRESS as it is: suite stable, component main, with the
# key to verify it by, and a description for /etc/apt/sources.list.d.
set -euo pipefail
# shellcheck source=signing.sh
source "$(dirname "$0")/signing.sh"

packages=$1
address=$3
suite=stable
component=main
pool=pool/$component/s/sendcp
keyring=sendcp-archive-keyring.asc
# All may read it: apt does so as a user without rights.
umask 022
export LC_ALL=C

# The packages in a .changes file, a line "HASH  FILE" each.
listed()
{
	awk '/^[^ ]/ { on = /^Checksums-Sha256:/ } on && NF == 3 { print $1 "  " $3 }' "$1" |
		grep -E '\.(deb|dsc|tar\.[a-z0-9]+)$'
}

take_packages()
{
	local version changes list

	version=$(dpkg-parsechangelog -SVersion)
	mkdir -p "$pool_directory"
	for changes in "$packages/sendcp_${version}_"*.changes; do
		[ -e "$changes" ] || die "no packages of version $version in $packages: make deb"
		list=$(listed "$changes")
		(cd "$packages" && sha256sum --quiet -c <<<"$list") ||
			die "packages are not those that ${changes##*/} lists: make deb"
		awk '{ print $2 }' <<<"$list" | (cd "$packages" && xargs -d '\n' cp -t "$pool_directory")
	done
	find "$pool_directory" -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
}

# The architectures that there is a package of.
architectures()
{
	local package

	for package in "$pool/"*.deb; do
		dpkg-deb -f "$package" Architecture
	done | sort -u | grep -vx all
}

# list INDEX KIND ARCHITECTURE: all that the pool has of KIND, for which apt-ftparchive's word alone is not good
# enough: it ends with 0 also when it could not read a package.
list()
{
	local index=dists/$suite/$component/$1 kind=$2 arch=$3 count

	mkdir -p "$(dirname "$index")"
	count=$(find "$pool" -name '*.dsc' | wc -l)
	[ "$kind" = sources ] || count=$(find "$pool" -name "*_$arch.deb" -o -name '*_all.deb' | wc -l)
	apt-ftparchive -q -q --arch "$arch" "$kind" pool >"$index"
	[ "$(grep -c '^Package: ' "$index")" = "$count" ] || die "apt-ftparchive $kind did not list all of $count packages"
	gzip -9nk "$index"
	xz -k "$index"
}

index()
{
	local arch

	for arch in $(architectures); do
		list "binary-$arch/Packages" packages "$arch"
	done
	list source/Sources sources source
}

# Written elsewhere first: it would list itself.
release()
{
	apt-ftparchive \
		-o APT::FTPArchive::Release::Origin=sendcp \
		-o APT::FTPArchive::Release::Label=sendcp \
		-o APT::FTPArchive::Release::Suite="$suite" \
		-o APT::FTPArchive::Release::Codename="$suite" \
		-o APT::FTPArchive::Release::Components="$component" \
		-o APT::FTPArchive::Release::Architectures="$(architectures | paste -sd ' ')" \
		-o APT::FTPArchive::Release::Description="sendcp, resumable btrfs send" \
		-o APT::FTPArchive::Release::MD5=false \
		-o APT::FTPArchive::Release::SHA1=false \
		-o APT::FTPArchive::Release::SHA256=true \
		-o APT::FTPArchive::Release::SHA512=true \
		release "dists/$suite" >Release
	sed -i "s|^Date: .*|Date: $(date -u -R -d "@$SOURCE_DATE_EPOCH")|" Release
	mv Release "dists/$suite/"
}

# The keyring is for the place that Debian has for those that an administrator adds.
describe()
{
	export_key "$key" >"$keyring"
	cat >sendcp.sources <<-SOURCES
		Types: deb deb-src
		URIs: $address
		Suites: $suite
		Components: $component
		Signed-By: /etc/apt/keyrings/$keyring
	SOURCES
}

for program in apt-ftparchive gpg dpkg-parsechangelog; do
	command -v $program >/dev/null || die "$program is missing (test/install-deps.sh packages)"
done
[ -d "$packages" ] || die "no packages in $packages: make deb"
packages=$(realpath "$packages")
key=$(find_key "$2")
repository=$packages/apt
rm -rf --one-file-system "$repository.new"
pool_directory=$repository.new/$pool
take_packages
cd "$repository.new"
index
release
sign "$key" --clearsign --output "dists/$suite/InRelease" "dists/$suite/Release"
sign "$key" --armor --detach-sign --output "dists/$suite/Release.gpg" "dists/$suite/Release"
describe
cd ..
replace "$repository"
echo "  APT  $repository, signed by $key"
