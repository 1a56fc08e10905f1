#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages: what is in them, what they do when they are installed, and that they are made alike each
# time. What takes a booted Debian is in test/vm/install (make check-install).

load ../lib/suite

setup_file()
{
	# Compiling takes its time where others compile, too.
	export BATS_TEST_TIMEOUT=1500
	fixture_begin
	# Made elsewhere, so that nothing here is touched; as a variable, for make's own recipes.
	export MADE=$FIX/made
	export SOURCE_DATE_EPOCH=1790000000
	make_quietly dist
	DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" "$ROOT/test/packages/deb.sh" "$MADE"/sendcp-*.tar.gz "$MADE" >&2
	"$ROOT/test/packages/rpm.sh" "$MADE"/sendcp-*.tar.gz "$MADE" >&2
	DEB=$(echo "$MADE"/sendcp_*.deb)
	DKMS_DEB=$(echo "$MADE"/sendcp-dkms_*.deb)
	export DEB DKMS_DEB
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$ROOT"
	VERSION=$(sed -n 's/^VERSION := //p' Makefile)
	PROJECT_URL=$(sed -n 's/^PROJECT_URL ?= //p' packaging.mk)
}

make_quietly()
{
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" --no-print-directory -s PACKAGES_DIR="$MADE" BUILD="$BUILD" "$@"
}

# What packaging says of the project's address, a line each.
addresses()
{
	sed -n 's/^\(Homepage\|Vcs-[A-Z][a-z]*\|Source\|URL\|Repository[A-Za-z-]*\|Bug-[A-Z][a-z]*\): *\(http.*\)/\2/p' \
		debian/control debian/copyright debian/upstream/metadata rpm/sendcp.spec
	sed -n 's/^\(http[^ ]*\) .*/\1/p' debian/watch
}

# The files of a Debian package, without directories.
deb_files()
{
	dpkg-deb --fsys-tarfile "$1" | tar -t | sed -n 's|^\./||; /[^/]$/p'
}

@test "one version everywhere" {
	[ -n "$VERSION" ]
	assert_equal "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)" "$VERSION"
	assert_equal "$(sed -n 's/^Version: *//p' rpm/sendcp.spec)" "$VERSION"
	grep -m 1 '^\* ' rpm/sendcp.spec | grep -qE -- "> - $VERSION-[0-9]+\$"
	[[ $(dpkg-parsechangelog -SVersion) =~ ^$VERSION-[0-9]+$ ]]
	assert_equal "$(grep -m 1 -oE '^## [^ ]+' CHANGELOG.md)" "## $VERSION"
	assert_equal "$("$SENDCP" --version)" "sendcp $VERSION"
	assert_equal "$(dpkg-deb -f "$DEB" Version)" "$(dpkg-parsechangelog -SVersion)"
}

@test "make install puts everything in its place, uninstall leaves nothing" {
	local root=$FIX/root

	make_quietly install DESTDIR="$root" PREFIX=/opt/x mandir=/opt/manual >/dev/null
	for file in bin/sendcp include/sendcp.h libexec/sendcp/nightly share/doc/sendcp/README.md \
		lib/systemd/system/sendcp-send@.timer share/bash-completion/completions/sendcp \
		share/zsh/site-functions/_sendcp share/fish/vendor_completions.d/sendcp.fish; do
		assert_file_exists "$root/opt/x/$file"
	done
	for page in man4/sendcp.4 man5/sendcp-checkpoint.5 man8/sendcp.8; do
		assert_file_exists "$root/opt/manual/$page"
	done
	run "$root/opt/x/bin/sendcp" --version
	assert_output "sendcp $VERSION"
	# What another program names is where it was installed to.
	grep -q '^ExecStart=/opt/x/libexec/sendcp/nightly ' "$root/opt/x/lib/systemd/system/sendcp-send@.service"
	grep -q '^sendcp=/opt/x/bin/sendcp$' "$root/opt/x/libexec/sendcp/nightly"
	! grep -r '@[a-z]*dir@' "$root"
	make_quietly uninstall DESTDIR="$root" PREFIX=/opt/x mandir=/opt/manual >/dev/null
	run find "$root" ! -type d
	assert_output ""
}

@test "one address everywhere" {
	local address count=0

	while read -r address; do
		[[ $address == "$PROJECT_URL" || $address == "$PROJECT_URL".git || $address == "$PROJECT_URL"/* ]]
		count=$((count + 1))
	done < <(addresses)
	assert_equal $count 10
	assert_equal "$(dpkg-deb -f "$DEB" Homepage)" "$PROJECT_URL"
	assert_equal "$(sed -n 's/^Vcs-Git: //p' "$MADE"/sendcp_*.dsc)" "$PROJECT_URL.git"
	assert_equal "$(rpm -qp --qf '%{URL}' "$MADE/sendcp-$VERSION"*.x86_64.rpm)" "$PROJECT_URL"
}

@test "make dist: all that git has, debian/ in an archive of its own, the same bytes again" {
	local again=$FIX/again file

	git rev-parse >/dev/null 2>&1 || skip "no git here: this is what make dist made"
	diff <( (tar -tzf "$MADE"/sendcp-*.tar.gz | sed 's|^[^/]*/||'; tar -tzf "$MADE"/debian-sendcp-*.tar.gz) | LC_ALL=C sort) \
		<(git ls-files | while read -r file; do [ ! -e "$file" ] || echo "$file"; done | LC_ALL=C sort)
	run tar -tzf "$MADE"/sendcp-*.tar.gz
	refute_output --partial /debian/
	# As they are, also with the mode to run them.
	mkdir "$FIX/dist"
	tar -xzf "$MADE"/sendcp-*.tar.gz --strip-components=1 -C "$FIX/dist"
	for file in COPYING packaging.mk rpm/sendcp.spec test/images/plain.0.img.zst; do
		cmp "$file" "$FIX/dist/$file"
	done
	assert_file_executable "$FIX/dist/test/run.sh"
	make_quietly dist PACKAGES_DIR="$again" >/dev/null
	for file in "$MADE"/*sendcp-*.tar.gz; do
		cmp "$file" "$again/${file##*/}"
	done
}

@test "make dist PROJECT_URL=... changes the address in all files, and in nothing else" {
	local other=$FIX/other new=https://sendcp.example/$BATS_TEST_NUMBER

	make_quietly dist PACKAGES_DIR="$other" PROJECT_URL=$new >/dev/null
	mkdir "$other/old" "$other/new"
	for archive in sendcp debian-sendcp; do
		tar -xzf "$MADE/$archive-$VERSION.tar.gz" -C "$other/old"
		tar -xzf "$other/$archive-$VERSION.tar.gz" -C "$other/new"
	done
	run grep -rF "$PROJECT_URL" "$other/new"
	assert_output ""
	assert_equal "$(cd "$other/new" && grep -rhF $new debian | wc -l)" 9
	grep -rlZF $new "$other/new" | xargs -0 sed -i "s|$new|$PROJECT_URL|g"
	diff -r "$other/old" "$other/new"
	run make_quietly dist PACKAGES_DIR="$other" PROJECT_URL="example.org|e"
	assert_failure
	assert_output --partial "not an address: example.org|e"
}

# What a server of releases would show, until the test ends.
serve_releases()
{
	mkdir -p "$FIX/server/sendcp/releases"
	touch "$FIX/server/sendcp/releases"/{debian-,}sendcp-{"$VERSION",99.1}.tar.gz
	python3 -u -m http.server --bind 127.0.0.1 -d "$FIX/server" 0 >"$FIX/server.said" 2>&1 3>&- &
	SERVER=$!
	for _ in $(seq 100); do
		PORT=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$FIX/server.said")
		[ -z "$PORT" ] || return 0
		sleep 0.1
	done
	return 1
}

@test "debian/watch finds a new release, and its archive" {
	require_program uscan
	serve_releases
	sed "s|^$PROJECT_URL|http://127.0.0.1:$PORT/sendcp|" debian/watch >"$FIX/watch"
	run env -u http_proxy -u https_proxy uscan --no-conf --no-download --dehs --package sendcp \
		--upstream-version "$VERSION" --watchfile "$FIX/watch"
	kill $SERVER
	assert_success
	assert_output --partial "<upstream-version>99.1</upstream-version>"
	assert_output --partial "<upstream-url>http://127.0.0.1:$PORT/sendcp/releases/sendcp-99.1.tar.gz</upstream-url>"
}

@test "deb: what is in the packages" {
	run deb_files "$DEB"
	for file in usr/bin/sendcp usr/share/man/man{8/sendcp.8,5/sendcp-checkpoint.5,4/sendcp.4}.gz \
		usr/share/bash-completion/completions/sendcp usr/share/zsh/vendor-completions/_sendcp \
		usr/share/fish/vendor_completions.d/sendcp.fish usr/libexec/sendcp/nightly; do
		assert_line "$file"
	done
	run deb_files "$DKMS_DEB"
	refute_output --partial /man/
	run deb_files "$MADE"/sendcp-dev_*.deb
	assert_line usr/include/sendcp.h
	run dpkg-deb -f "$DKMS_DEB" Depends
	assert_output --partial "dkms (>="
	assert_output --partial "sendcp (>= $VERSION-"
	# By the word that users look for.
	for package in "$DEB" "$DKMS_DEB" "$MADE"/sendcp-dev_*.deb; do
		dpkg-deb -f "$package" Description | grep -q '^resumable btrfs send'
	done
}

@test "deb, rpm: the module's source is all of it, and nothing else" {
	local prefix=usr/src/sendcp-$VERSION expected

	expected=$( (ls Kbuild Makefile dkms.conf module/*.[ch] include/*/*.h
		find src -name '*.[ch]') | LC_ALL=C sort)
	diff <(deb_files "$DKMS_DEB" | sed -n "s|^$prefix/||p" | LC_ALL=C sort) <(echo "$expected")
	rpm -qlp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$MADE"/sendcp-dkms-*.rpm >"$FIX/list"
	diff <(sed -n "s|^-[^ ]* /$prefix/||p" "$FIX/list" | LC_ALL=C sort) <(echo "$expected")
}

@test "deb: no scripts but those of debhelper" {
	run find debian -name '*inst' -o -name '*rm' -o -name '*.triggers'
	assert_output ""
	mkdir "$FIX/control"
	dpkg-deb -e "$DKMS_DEB" "$FIX/control"
	grep -q 'common.postinst' "$FIX/control/postinst"
	grep -q "DKMS_VERSION=$VERSION" "$FIX/control/prerm"
}

@test "deb: hardened" {
	local program=$FIX/unpacked/usr/bin/sendcp

	dpkg-deb -x "$DEB" "$FIX/unpacked"
	readelf -hW "$program" | grep -q 'Type:.*DYN'
	readelf -dW "$program" | grep -q 'BIND_NOW'
	readelf -lW "$program" | grep -q 'GNU_RELRO'
	readelf -lW "$program" | grep 'GNU_STACK' | grep -qv 'RWE'
	readelf -sW --dyn-syms "$program" | grep -q '__stack_chk_fail'
	readelf -sW --dyn-syms "$program" | grep -qE '__(memcpy|snprintf|vsnprintf|fprintf)_chk'
	# As installed, it knows its version, and runs.
	run "$program" --version
	assert_output "sendcp $VERSION"
}

# Lintian looks for misspelled words among the bytes of machine code, too, where any three bytes may
# happen to be one. Only those that the program can print are of interest.
without_chance_words()
{
	local line word

	dpkg-deb -x "$DEB" "$FIX/for-words" || return 1
	objcopy -O binary -j .rodata "$FIX/for-words/usr/bin/sendcp" "$FIX/rodata" && [ -s "$FIX/rodata" ] || return 1
	while read -r line; do
		word=$(sed -n 's/^I: sendcp: spelling-error-in-binary \([^ ]*\) .*/\1/p' <<<"$line")
		[ -n "$word" ] && ! grep -aqF -- "$word" "$FIX/rodata" || echo "$line"
	done
}

@test "deb: lintian finds nothing, in the source neither" {
	# It looks at what is named here, and no further.
	grep -q '^ .*[0-9] sendcp_.*\.dsc$' "$MADE"/sendcp*.changes
	run lintian --allow-root --fail-on error,warning --display-info "$MADE"/sendcp*.changes
	assert_success
	run without_chance_words <<<"$output"
	assert_success
	assert_output ""
	# Nothing was silenced.
	run find debian -name '*lintian-overrides*'
	assert_output ""
}

@test "deb: built in another place, with another umask, the same bytes, of the source, too" {
	local again=$FIX/deb-again package

	mkdir -p "$FIX/a/much/deeper/place"
	(
		umask 077
		TMPDIR="$FIX/a/much/deeper/place" TZ=Pacific/Kiritimati LC_ALL=C DEB_BUILD_OPTIONS="nocheck parallel=1" \
			"$ROOT/test/packages/deb.sh" "$MADE"/sendcp-*.tar.gz "$again"
	)
	for package in "$MADE"/*.deb "$MADE"/*.dsc "$MADE"/*.tar.?z; do
		[[ $package == */sendcp-*.tar.gz ]] || cmp "$package" "$again/${package##*/}"
	done
}

@test "deb: the orig tarball is what make dist made; Debian adds its directory, and no patches" {
	cmp "$MADE/sendcp_$VERSION.orig.tar.gz" "$MADE/sendcp-$VERSION.tar.gz"
	run tar -tf "$MADE"/sendcp_*.debian.tar.xz
	assert_success
	assert_line debian/control
	refute_line --regexp '^debian/patches|^[^d]'
	run zcat <(dpkg-deb --fsys-tarfile "$DEB" | tar -xO ./usr/share/doc/sendcp/changelog.gz)
	assert_output "$(cat CHANGELOG.md)"
}

@test "deb: Debian's testers find both tests: the module's build, and the one here" {
	local unpacked=$FIX/source

	dpkg-source -q --no-check -x "$MADE"/sendcp_*.dsc "$unpacked" 2>/dev/null
	assert_file_executable "$unpacked/debian/tests/round-trip"
	# Where there are tests of its own, those are named, too, and all are run.
	run sed -n 's/^Testsuite: //p' "$MADE"/sendcp_*.dsc
	assert_output "autopkgtest, autopkgtest-pkg-dkms"
}

# The real dkms, with a kernel's directory that makes a module of anything.
dkms_builds()
{
	dkms build -m sendcp -v "$VERSION" -k "$1" --kernelsourcedir "$FIX/dkms/kernel" --dkmstree "$FIX/dkms/tree" \
		--sourcetree "$FIX/dkms/usr/src"
}

@test "dkms takes it for the kernels that it is for, and leaves it out for others" {
	local release

	[ "$(id -u)" = 0 ] || require_failed "needs root"
	require_program dkms
	dpkg-deb -x "$DKMS_DEB" "$FIX/dkms"
	mkdir -p "$FIX/dkms/kernel/include" "$FIX/dkms/tree"
	printf 'modules:\n\ttouch $(M)/sendcp.ko\nclean:\n' >"$FIX/dkms/kernel/Makefile"
	printf 'CONFIG_BTRFS_FS=m\nCONFIG_EXPORTFS=y\n' >"$FIX/dkms/kernel/.config"
	dkms add -m sendcp -v "$VERSION" --dkmstree "$FIX/dkms/tree" --sourcetree "$FIX/dkms/usr/src"
	for release in 2.6.32-754 3.10.0-1160 4.19.0-27-amd64 5.1.0 5.4.0-200-generic 5.9.16; do
		run dkms_builds $release
		assert_failure 77
	done
	for release in 5.10.0-37-amd64 5.15.0-91-generic 5.19.17 6.1.0-55-amd64 6.12.117+deb13-amd64 7.2.1 10.0.0; do
		run dkms_builds $release
		assert_success
		refute_output --partial "Deprecated"
		find "$FIX/dkms/tree/sendcp/$VERSION/$release" -name 'sendcp.ko*' | grep .
	done
	# A kernel that has no btrfs.
	echo '# CONFIG_BTRFS_FS is not set' >"$FIX/dkms/kernel/.config"
	run dkms_builds 6.1.0-56-amd64
	assert_failure 77
}

@test "rpm: rpmlint finds no errors" {
	run rpmlint -r rpm/sendcp.rpmlintrc "$MADE"/*.rpm
	assert_success
	assert_output --partial "4 packages"
	assert_output --partial " 0 errors"
}

@test "rpm: the licence is one, the manual pages are with their readers, the kernel's headers for a kernel" {
	for package in "$MADE/sendcp-$VERSION"*.x86_64.rpm "$MADE"/sendcp-{dkms,devel}-*.rpm; do
		rpm -qp --licensefiles "$package" | grep '/COPYING$'
	done
	run rpm -qlp "$MADE/sendcp-$VERSION"*.x86_64.rpm
	assert_line --regexp '/man4/sendcp.4(.gz)?$'
	run rpm -qlp "$MADE"/sendcp-dkms-*.rpm
	refute_output --partial /man/
	run rpm -qp --recommends "$MADE"/sendcp-dkms-*.rpm
	assert_output "(kernel-devel if kernel-core)"
}

@test "rpm: an upgrade neither enables nor disables the timer" {
	make_system
	for scriptlet in POSTIN:2 PREUN:1; do
		rpm -qp --qf "%{${scriptlet%:*}}" "$MADE/sendcp-$VERSION"*.x86_64.rpm >"$FIX/system/scriptlet"
		grep -q systemctl "$FIX/system/scriptlet"
		chroot "$FIX/system" /bin/sh /scriptlet "${scriptlet#*:}"
	done
	run asked
	assert_output ""
}

# A program, with what it takes to run it, in the directory that rpm takes for a system.
add_program()
{
	local program file

	for program; do
		program=$(command -v "$program")
		for file in "$program" $(ldd "$program" | grep -oE '/[^ ]+'); do
			[ -e "$FIX/system$file" ] || install -D "$(realpath "$file")" "$FIX/system$file"
		done
	done
}

# A dkms and a systemctl that only say what they were asked to do.
make_system()
{
	rm -rf "$FIX/system"
	mkdir -p "$FIX/system/usr/bin" "$FIX/system/var/lib/rpm"
	ln -s usr/bin "$FIX/system/bin"
	PATH=/usr/bin add_program dash ls wc
	ln -s dash "$FIX/system/usr/bin/sh"
	printf '#!/bin/sh\necho "$*" >>/asked\n' >"$FIX/system/usr/bin/dkms"
	printf '#!/bin/sh\necho "systemctl $*" >>/asked\nexit 1\n' >"$FIX/system/usr/bin/systemctl"
	chmod +x "$FIX/system/usr/bin/dkms" "$FIX/system/usr/bin/systemctl"
}

rpm_there()
{
	rpm --root "$FIX/system" --nodeps "$@"
}

asked()
{
	cat "$FIX/system/asked" 2>/dev/null
	rm -f "$FIX/system/asked"
}

@test "rpm: installed into a scratch system, used by dkms, erased" {
	make_system
	rpm_there -i "$MADE"/sendcp-"$VERSION"*.x86_64.rpm "$MADE"/sendcp-dkms-*.rpm "$MADE"/sendcp-devel-*.rpm
	asked >"$FIX/asked"
	run grep systemctl "$FIX/asked"
	assert_output "systemctl --no-reload preset sendcp-send@.timer"
	run grep -v systemctl "$FIX/asked"
	assert_output - <<-ASKED
		add -m sendcp -v $VERSION -q
		build -m sendcp -v $VERSION -q
		install -m sendcp -v $VERSION -q --force
	ASKED
	run rpm_there -V sendcp sendcp-dkms sendcp-devel
	assert_success
	assert_file_exists "$FIX/system/usr/src/sendcp-$VERSION/dkms.conf"
	cmp dkms.conf "$FIX/system/usr/src/sendcp-$VERSION/dkms.conf"
	rpm_there -e sendcp-dkms sendcp sendcp-devel
	asked >"$FIX/asked"
	run grep -v systemctl "$FIX/asked"
	assert_output "remove -m sendcp -v $VERSION -q --all"
	run grep systemctl "$FIX/asked"
	assert_output - <<-ASKED
		systemctl --no-reload disable --now sendcp-send@.timer
		systemctl daemon-reload
	ASKED
	run find "$FIX/system" -name '*sendcp*'
	assert_output ""
}

# preun COUNT: the scriptlet that runs before the package is removed, COUNT of it being left.
preun()
{
	rpm -qp --qf '%{PREUN}' "$MADE"/sendcp-dkms-*.rpm >"$FIX/system/preun"
	chroot "$FIX/system" /bin/sh /preun "$1"
}

@test "rpm: an upgrade takes the old version out of dkms, and no other" {
	make_system
	mkdir -p "$FIX/system/usr/src/sendcp-$VERSION"
	# Another release of the same version: the new package's scriptlet has just built it.
	preun 1
	run asked
	assert_output ""
	mkdir "$FIX/system/usr/src/sendcp-99.0"
	preun 1
	run asked
	assert_output "remove -m sendcp -v $VERSION -q --all"
}

@test "rpm: a kernel that the module cannot be built for does not stop the installation" {
	make_system
	printf '#!/bin/sh\nexit 10\n' >"$FIX/system/usr/bin/dkms"
	rpm_there -i "$MADE"/sendcp-dkms-*.rpm
	rpm_there -e sendcp-dkms
}
