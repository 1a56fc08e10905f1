# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For the scripts that make repositories: a secret key of the caller's own keyring, and signatures that are
# the same bytes each time.

die()
{
	echo "${0##*/}: $1" >&2
	exit 1
}

# The fingerprint of the secret key that KEY names.
find_key()
{
	local key=$1 fingerprint

	[ -n "$key" ] || die "no key to sign with: KEY=KEYID (gpg --list-secret-keys shows them)"
	fingerprint=$(gpg --batch --with-colons --list-secret-keys -- "$key" 2>/dev/null | awk -F: '/^fpr:/ { print $10; exit }')
	[ -n "$fingerprint" ] || die "no secret key $key: gpg --list-secret-keys shows those that there are"
	echo "$fingerprint"
}

# The time of all signatures: that of the packages, but not before there was the key, which would make
# them invalid.
signing_time()
{
	local created

	created=$(gpg --batch --with-colons --list-secret-keys -- "$1" |
		awk -F: '/^(sec|ssb):/ && $6 > newest { newest = $6 } END { print newest }')
	echo $((created > SOURCE_DATE_EPOCH ? created : SOURCE_DATE_EPOCH))
}

# sign KEY GPG-ARGUMENT...
sign()
{
	local key=$1 words

	shift
	# It warns of the time each time.
	words=$(gpg --batch --yes --quiet --faked-system-time "$(signing_time "$key")!" --digest-algo SHA512 \
		--local-user "$key" "$@" 2>&1) || die "gpg: $words"
}

# The public key, for apt and rpm.
export_key()
{
	gpg --batch --armor --export-options export-minimal --export -- "$1"
}

# replace DIRECTORY: by DIRECTORY.new, which is complete.
replace()
{
	rm -rf --one-file-system "$1"
	mv "$1.new" "$1"
}
