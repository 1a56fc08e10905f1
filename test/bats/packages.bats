#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages: their contents, their installation, and reproducible builds. Tests in a booted Debian
# are in test/vm/install (make check-install).

load ../lib/suite

setup_file()
{
	# Compiling takes long while other suites compile too.
	export BATS_TEST_TIMEOUT=1500
	fixture_begin
	# Built elsewhere, so that nothing here is changed; exported, for make's own recipes.
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
}

make_quietly()
{
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" --no-print-directory -s PACKAGES_DIR="$MADE" BUILD="$BUILD" "$@"
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
	assert_equal "$(dpkg-parsechangelog -SVersion)" "$VERSION"
	assert_equal "$(grep -m 1 -oE '^## [^ ]+' CHANGELOG.md)" "## $VERSION"
	assert_equal "$("$SENDCP" --version)" "sendcp $VERSION"
	assert_equal "$(dpkg-deb -f "$DEB" Version)" "$VERSION"
}

@test "make install puts every file in its place, uninstall removes all" {
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
	# Programs that other files name have their installed paths.
	grep -q '^ExecStart=/opt/x/libexec/sendcp/nightly ' "$root/opt/x/lib/systemd/system/sendcp-send@.service"
	grep -q '^sendcp=/opt/x/bin/sendcp$' "$root/opt/x/libexec/sendcp/nightly"
	! grep -r '@[a-z]*dir@' "$root"
	make_quietly uninstall DESTDIR="$root" PREFIX=/opt/x mandir=/opt/manual >/dev/null
	run find "$root" ! -type d
	assert_output ""
}

@test "make dist: all tracked files, reproducibly" {
	local again=$FIX/again

	git rev-parse >/dev/null 2>&1 || skip "no git here: this is what make dist made"
	diff <(tar -tzf "$MADE"/sendcp-*.tar.gz | sed 's|^[^/]*/||') \
		<(git ls-files | while read -r file; do [ ! -e "$file" ] || echo "$file"; done | LC_ALL=C sort)
	make_quietly dist PACKAGES_DIR="$again" >/dev/null
	cmp "$MADE"/sendcp-*.tar.gz "$again"/sendcp-*.tar.gz
}

@test "deb: the contents of the packages" {
	run deb_files "$DEB"
	for file in usr/bin/sendcp usr/share/man/man8/sendcp.8.gz usr/share/man/man5/sendcp-checkpoint.5.gz \
		usr/share/bash-completion/completions/sendcp usr/share/zsh/vendor-completions/_sendcp \
		usr/share/fish/vendor_completions.d/sendcp.fish usr/libexec/sendcp/nightly; do
		assert_line "$file"
	done
	run deb_files "$DKMS_DEB"
	assert_line usr/share/man/man4/sendcp.4.gz
	run deb_files "$MADE"/sendcp-dev_*.deb
	assert_line usr/include/sendcp.h
	run dpkg-deb -f "$DKMS_DEB" Depends
	assert_output --partial "dkms (>="
	assert_output --partial "sendcp (>= $VERSION)"
}

@test "deb, rpm: the complete source of the module, and nothing else" {
	local prefix=usr/src/sendcp-$VERSION expected

	expected=$( (ls Kbuild Makefile dkms.conf module/*.[ch] include/*/*.h
		find src -name '*.[ch]') | LC_ALL=C sort)
	diff <(deb_files "$DKMS_DEB" | sed -n "s|^$prefix/||p" | LC_ALL=C sort) <(echo "$expected")
	rpm -qlp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$MADE"/sendcp-dkms-*.rpm >"$FIX/list"
	diff <(sed -n "s|^-[^ ]* /$prefix/||p" "$FIX/list" | LC_ALL=C sort) <(echo "$expected")
}

@test "deb: no scripts other than debhelper's" {
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
	# The installed program runs, and has the version.
	run "$program" --version
	assert_output "sendcp $VERSION"
}

# Lintian checks the spelling of words in machine code too, where any three bytes may form one. Only
# words that the program can print count.
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

@test "deb: lintian finds nothing, in the source either" {
	# Lintian only checks the packages named here.
	grep -q '^ .*[0-9] sendcp_.*\.dsc$' "$MADE"/sendcp*.changes
	run lintian --allow-root --fail-on error,warning --display-info "$MADE"/sendcp*.changes
	assert_success
	run without_chance_words <<<"$output"
	assert_success
	assert_output ""
	# No finding is overridden.
	run find debian -name '*lintian-overrides*'
	assert_output ""
}

@test "deb: built in another directory, with another umask, the same bytes, of the source too" {
	local again=$FIX/deb-again package

	mkdir -p "$FIX/a/much/deeper/place"
	(
		umask 077
		TMPDIR="$FIX/a/much/deeper/place" TZ=Pacific/Kiritimati LC_ALL=C DEB_BUILD_OPTIONS="nocheck parallel=1" \
			"$ROOT/test/packages/deb.sh" "$MADE"/sendcp-*.tar.gz "$again"
	)
	for package in "$MADE"/*.deb "$MADE"/*.dsc "$MADE"/*.tar.xz; do
		cmp "$package" "$again/${package##*/}"
	done
}

@test "deb: Debian's testers find both tests: the module's build, and round-trip" {
	local unpacked=$FIX/source

	dpkg-source -q --no-check -x "$MADE"/sendcp_*.dsc "$unpacked" 2>/dev/null
	assert_file_executable "$unpacked/debian/tests/round-trip"
	# If a package has its own tests, these are named too, and all run.
	run sed -n 's/^Testsuite: //p' "$MADE"/sendcp_*.dsc
	assert_output "autopkgtest, autopkgtest-pkg-dkms"
}

# The real dkms, with a kernel directory whose makefile just creates the module.
dkms_builds()
{
	dkms build -m sendcp -v "$VERSION" -k "$1" --kernelsourcedir "$FIX/dkms/kernel" --dkmstree "$FIX/dkms/tree" \
		--sourcetree "$FIX/dkms/usr/src"
}

@test "dkms builds it for supported kernels, and skips others" {
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
	# A kernel without btrfs.
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

# Installs a program with its libraries into the root that rpm uses.
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

# A dkms that only logs its arguments.
make_system()
{
	rm -rf "$FIX/system"
	mkdir -p "$FIX/system/usr/bin" "$FIX/system/var/lib/rpm"
	ln -s usr/bin "$FIX/system/bin"
	PATH=/usr/bin add_program dash ls wc
	ln -s dash "$FIX/system/usr/bin/sh"
	printf '#!/bin/sh\necho "$*" >>/asked\n' >"$FIX/system/usr/bin/dkms"
	chmod +x "$FIX/system/usr/bin/dkms"
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
	run asked
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
	run asked
	assert_output "remove -m sendcp -v $VERSION -q --all"
	run find "$FIX/system" -name '*sendcp*'
	assert_output ""
}

# preun COUNT: runs the scriptlet before a removal that leaves COUNT of the package.
preun()
{
	rpm -qp --qf '%{PREUN}' "$MADE"/sendcp-dkms-*.rpm >"$FIX/system/preun"
	chroot "$FIX/system" /bin/sh /preun "$1"
}

@test "rpm: an upgrade removes the old version from dkms, and no other" {
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

@test "rpm: a kernel for which the module cannot be built does not prevent the installation" {
	make_system
	printf '#!/bin/sh\nexit 10\n' >"$FIX/system/usr/bin/dkms"
	rpm_there -i "$MADE"/sendcp-dkms-*.rpm
	rpm_there -e sendcp-dkms
}
