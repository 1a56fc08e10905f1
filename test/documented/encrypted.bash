# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# docs/recipes.md: with age and gpg.

page=docs/recipes.md
put SNAP "$FIX_MOUNT/snap"
put DIR "$FIX_MOUNT/received"
put KEY key
age-keygen -o "$HERE/key" 2>/dev/null
put RECIPIENT "$(age-keygen -y "$HERE/key")"
interrupt 20000000 INT f.age 1000000
documented -s 75 "$page" "Encrypted with age" 1.1
documented "$page" "Encrypted with age" 2.1
cp "$HERE/f.cp" "$WORLD/kept.cp"
documented "$page" "Encrypted with age" 2.2
documented "$page" "Encrypted with age" 4.1
cp "$WORLD/kept.cp" "$HERE/f.cp"
documented "$page" "Encrypted with age" 3
documented "$page" "Encrypted with age" 4
assert_received "$FIX_MOUNT/received/snap"

new_story
# Short: it has sockets.
export GNUPGHOME=$FIX/g
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key me@example.org default default never 3>&-
put SNAP "$FIX_MOUNT/snap"
put RECIPIENT me@example.org
interrupt 20000000 INT f.gpg 1000000
documented -s 75 "$page" "Encrypted with gpg" 1.1
documented "$page" "Encrypted with gpg" 2
gpg --export -a >"$HERE/archive.asc"
put FILE archive.asc
documented docs/packages.md "Installing from it" "gpg --show-keys"
put /etc/apt "$WORLD/etc/apt"
documented docs/packages.md "Installing from it" "install -d"
assert_dir_exists "$WORLD/etc/apt/keyrings"
gpgconf --kill all
