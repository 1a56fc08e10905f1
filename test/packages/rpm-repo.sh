#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a signed dnf repository of the packages, binary and source, that `make rpm` made of this tree.
#
# usage: rpm-repo.sh PACKAGES-DIRECTORY KEY ADDRESS, in the source's directory, with SOURCE_DATE_EPOCH set
# It is PACKAGES-DIRECTORY/rpm, to be published at ADDRESS as it is, with the key to verify it by, and a
# description for /etc/yum.repos.d. RPMSIGN names the program that signs the packages; without it, the signed
# metadata has their hashes.
set -euo pipefail
# shellcheck source=signing.sh
source "$(dirname "$0")/signing.sh"

packages=$1
address=$3
keyring=RPM-GPG-KEY-sendcp
# All may read it.
umask 022
export LC_ALL=C

take_packages()
{
	local version

	version=$(sed -n 's/^Version: *//p' rpm/sendcp.spec)
	compgen -G "$packages/sendcp*-$version-*.rpm" >/dev/null || die "no packages of version $version in $packages: make rpm"
	cp "$packages"/sendcp*-"$version"-*.rpm "$repository.new/"
}

# Says whether the packages are signed.
sign_packages()
{
	local words

	command -v "${RPMSIGN:-rpmsign}" >/dev/null || return 1
	words=$("${RPMSIGN:-rpmsign}" --addsign --define "__gpg $(command -v gpg)" --define "_gpg_name $key" \
		--define "_gpg_digest_algo sha256" \
		--define "_gpg_sign_cmd_extra_args --batch --faked-system-time $(signing_time "$key")!" \
		./*.rpm 2>&1) || die "rpmsign: $words"
}

describe()
{
	export_key "$key" >"$keyring"
	cat >sendcp.repo <<-REPO
		[sendcp]
		name=sendcp, resumable btrfs send
		baseurl=$address
		enabled=1
		gpgcheck=$1
		repo_gpgcheck=1
		gpgkey=$address/$keyring
	REPO
}

for program in createrepo_c gpg; do
	command -v $program >/dev/null || die "$program is missing (test/install-deps.sh packages)"
done
[ -d "$packages" ] || die "no packages in $packages: make rpm"
packages=$(realpath "$packages")
key=$(find_key "$2")
repository=$packages/rpm
rm -rf --one-file-system "$repository.new"
mkdir "$repository.new"
take_packages
cd "$repository.new"
signed=1
sign_packages || signed=0
touch -d "@$SOURCE_DATE_EPOCH" ./*.rpm
createrepo_c --quiet --no-database --checksum sha256 --revision "$SOURCE_DATE_EPOCH" --set-timestamp-to-revision .
sign "$key" --armor --detach-sign --output repodata/repomd.xml.asc repodata/repomd.xml
describe $signed
cd ..
replace "$repository"
echo "  RPM  $repository, signed by $key"
[ $signed = 1 ] || echo "rpm-repo.sh: rpmsign is missing: the packages are not signed, only the metadata with their hashes" >&2
