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
	DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" "$ROOT/test/packages/deb.sh" "$MADE"/sendcp-*.tar.gz "$MADE" >"$FIX/deb.said"
	"$ROOT/test/packages/rpm.sh" "$MADE"/sendcp-*.tar.gz "$MADE" >"$FIX/rpm.said"
	DEB=$(echo "$MADE"/sendcp_*.deb)
	DKMS_DEB=$(echo "$MADE"/sendcp-dkms_*.deb)
	export DEB DKMS_DEB
	# Short: it has sockets. One key is older than what it signs, one newer.
	export GNUPGHOME=$FIX/g
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --faked-system-time 20230601T000000! --passphrase '' --quick-gen-key old@key.example rsa3072 sign never
	gpg --batch --quiet --passphrase '' --quick-gen-key new@key.example rsa3072 sign never
}

teardown_file()
{
	gpgconf --kill gpg-agent
	fixture_end
}

setup()
{
	cd "$ROOT" || return 1
	VERSION=$(sed -n 's/^VERSION := //p' Makefile)
	PROJECT_URL=$(sed -n 's/^PROJECT_URL ?= //p' packaging.mk)
}

make_quietly()
{
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" --no-print-directory -s PACKAGES_DIR="$MADE" BUILD="$BUILD" "$@"
}

# The project's address, wherever packaging has it, a line each.
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
	run -1 grep -r '@[a-z]*dir@' "$root"
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

# A server with a page of releases.
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

# failing PROGRAM MARK: one that begins a stage, says much, and fails.
failing()
{
	mkdir -p "$FIX/failing"
	printf '#!/bin/sh\necho "%s"\nseq 100\nexit 3\n' "$2" >"$FIX/failing/$1"
	chmod +x "$FIX/failing/$1"
}

@test "make deb, make rpm: a line for each stage; a failure names the log, which has all" {
	local kind

	for kind in "deb: source package" "deb: compiling" "deb: packages" "rpm: compiling" "rpm: packages"; do
		cat "$FIX"/{deb,rpm}.said | grep -xE "  $kind \.\.\. [0-9]+ s"
	done
	failing dpkg-buildpackage "   debian/rules override_dh_auto_build"
	failing rpmbuild "Executing(%build): /bin/sh -e"
	for kind in deb rpm; do
		PATH=$FIX/failing:$PATH run "$ROOT/test/packages/$kind.sh" "$MADE"/sendcp-*.tar.gz "$FIX/failed"
		assert_failure 1
		assert_line --regexp "^  $kind: compiling \.\.\. [0-9]+ s$"
		refute_line 50
		assert_line 100
		assert_line "$kind.sh: building failed; all of it is in $FIX/failed/$kind.log"
		[ "$(wc -l <"$FIX/failed/$kind.log")" = 101 ]
	done
}

@test "deb, rpm: installation and presets enable no unit" {
	local root=$FIX/presets

	dpkg-deb -x "$DEB" "$root"
	mkdir "$root/etc" "$FIX/scripts"
	systemctl --root="$root" preset-all
	systemctl --root="$root" preset sendcp-send@.timer
	run find "$root/etc" -name '*sendcp*'
	assert_output ""
	dpkg-deb -e "$DEB" "$FIX/scripts"
	run -1 grep -rE --exclude=md5sums 'sendcp-send|systemctl|deb-systemd' "$FIX/scripts"
	run rpm -qp --scripts "$MADE/sendcp-$VERSION"*.x86_64.rpm
	refute_output --regexp 'systemctl.* (enable|start)'
}

@test "deb: the contents of the packages" {
	run deb_files "$DEB"
	for file in usr/bin/sendcp usr/share/man/man{8/sendcp.8,5/sendcp-checkpoint.5,4/sendcp.4}.gz \
		usr/share/bash-completion/completions/sendcp usr/share/zsh/vendor-completions/_sendcp \
		usr/share/fish/vendor_completions.d/sendcp.fish usr/libexec/sendcp/nightly \
		usr/share/doc/sendcp/{README,recipes,from-btrfs-send,deviations}.md; do
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

@test "deb, rpm: the complete source of the module, and nothing else" {
	local prefix=usr/src/sendcp-$VERSION expected

	expected=$( (ls Kbuild Makefile dkms.conf module/*.[ch] include/*/*.h
		find src -name '*.[ch]') | LC_ALL=C sort)
	diff <(deb_files "$DKMS_DEB" | sed -n "s|^$prefix/||p" | LC_ALL=C sort) <(echo "$expected")
	rpm -qlp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$MADE"/sendcp-dkms-*.rpm >"$FIX/list"
	diff <(sed -n "s|^-[^ ]* /$prefix/||p" "$FIX/list" | LC_ALL=C sort) <(echo "$expected")
}

@test "deb: no scripts other than debhelper's, but to purge the state directory" {
	run find debian -name '*inst' -o -name '*rm' -o -name '*.triggers'
	assert_output debian/sendcp.postrm
	[ "$(grep -E '^[^#]*/var/lib' debian/sendcp.postrm)" = $'\trm -rf /var/lib/sendcp' ]
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
	run lintian --allow-root --fail-on error,warning --display-info --pedantic --display-experimental \
		"$MADE"/sendcp*.changes
	assert_success
	# The module's source has src/. Lintian counts lines of compressed images and of tables.
	run without_chance_words < <(grep -vE 'repeated-path-segment src |very-long-line-length.*\.(img\.zst|tar\.zst|md):|watch-does-not-check-openpgp' \
		<<<"$output")
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

# make_repository KIND [VARIABLE=VALUE...]: apt or rpm, signed by the old key, of a time that is past.
make_repository()
{
	SOURCE_DATE_EPOCH=1700000000 make_quietly "$1-repo" KEY=old@key.example APT_URL="file:$MADE/apt" "${@:2}"
}

# apt_there KEYRING PROGRAM ARGUMENT...: apt that knows the packages that are installed here, but only that
# repository, as its description says, with the keyring in place of the one that a user would have installed.
apt_there()
{
	local keyring=$1 dir=$FIX/apt-there

	shift
	mkdir -p "$dir"/{lists,archives}/partial "$dir/parts"
	sed "s|^Signed-By: .*|Signed-By: $keyring|" "$MADE/apt/sendcp.sources" >"$dir/parts/sendcp.sources"
	"$1" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/parts" -o Dir::Etc::Trusted=/dev/null \
		-o Dir::Etc::TrustedParts="$dir/none" -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::Archives="$dir/archives" \
		-o Dir::State::extended_states="$dir/extended_states" -o APT::Sandbox::User=root "${@:2}" 2>&1
}

# From nothing: what apt has once verified, it does not read again.
apt_update()
{
	rm -rf "$FIX/apt-there"
	apt_there "$1" apt-get update --error-on=any
}

# As it was before a test changed it.
fresh_apt_repository()
{
	rm -rf "$MADE/apt"
	make_repository apt >/dev/null
	KEYRING=$MADE/apt/sendcp-archive-keyring.asc
}

@test "make apt-repo: apt finds sendcp-dkms there, verifies it, and gets it and its source" {
	local version package

	version=$(dpkg-parsechangelog -SVersion)
	fresh_apt_repository
	run apt_update "$KEYRING"
	assert_success
	refute_output --regexp '^[WE]:'
	run apt_there "$KEYRING" apt-cache policy sendcp-dkms
	assert_output --partial "Candidate: $version"
	assert_output --partial "500 file:$MADE/apt stable/main amd64 Packages"
	run apt_there "$KEYRING" apt-get install --download-only --yes --no-install-recommends sendcp-dkms
	assert_success
	assert_output --regexp "sendcp .*$version|sendcp sendcp-dkms"
	refute_output --partial "cannot be authenticated"
	mkdir "$FIX/got"
	cd "$FIX/got"
	run apt_there "$KEYRING" apt-get download sendcp sendcp-dkms sendcp-dev
	assert_success
	run apt_there "$KEYRING" apt-get source --download-only sendcp
	assert_success
	assert_equal "$(ls | wc -l)" 6
	for package in *; do
		cmp "$package" "$MADE/$package"
	done
}

@test "make apt-repo: with another key, or without a signature, it is refused" {
	fresh_apt_repository
	gpg --batch --armor --export new@key.example >"$FIX/other.asc"
	run apt_update "$FIX/other.asc"
	assert_failure
	assert_output --partial NO_PUBKEY
	# Signed by the other one, which was made after the packages.
	make_repository apt KEY=new@key.example >/dev/null
	run apt_update "$FIX/other.asc"
	assert_success
	rm "$MADE/apt/dists/stable/"{InRelease,Release.gpg}
	run apt_update "$FIX/other.asc"
	assert_failure
	assert_output --partial "is not signed"
	# Older programs verify the signature in a file of its own.
	fresh_apt_repository
	rm "$MADE/apt/dists/stable/InRelease"
	run apt_update "$KEYRING"
	assert_success
}

# change_byte FILE...: one in the middle.
change_byte()
{
	local file

	for file; do
		python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    data[len(data) // 2] ^= 1
    f.seek(0)
    f.write(data)' "$file"
	done
}

@test "make apt-repo: a byte changed in Packages, in Release or in a package is refused" {
	fresh_apt_repository
	change_byte "$MADE/apt/dists/stable/main/binary-amd64"/Packages*
	run apt_update "$KEYRING"
	assert_failure
	assert_output --regexp "Hash Sum mismatch|unexpected size"
	run apt_there "$KEYRING" apt-get install --download-only --yes --no-install-recommends sendcp-dkms
	assert_failure
	fresh_apt_repository
	change_byte "$MADE/apt/dists/stable/"{InRelease,Release}
	run apt_update "$KEYRING"
	assert_failure
	assert_output --regexp "BADSIG|not valid|invalid"
	fresh_apt_repository
	apt_update "$KEYRING"
	change_byte "$MADE/apt/pool/main/s/sendcp"/sendcp-dkms_*.deb
	run apt_there "$KEYRING" apt-get install --download-only --yes --no-install-recommends sendcp-dkms
	assert_failure
	assert_output --partial "Hash Sum mismatch"
}

@test "make apt-repo, rpm-repo: the same bytes again, in another place, at another time" {
	local kind

	mkdir "$FIX/made-again"
	cp "$MADE"/sendcp* "$FIX/made-again/"
	fresh_apt_repository
	make_repository rpm >/dev/null
	for kind in apt rpm; do
		(umask 077 && TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 make_repository $kind PACKAGES_DIR="$FIX/made-again" >/dev/null)
		diff -r "$MADE/$kind" "$FIX/made-again/$kind"
		run find "$FIX/made-again/$kind" ! -perm -044
		assert_output ""
	done
}

@test "make apt-repo, rpm-repo: without a key, or without packages, they say so and change nothing" {
	local kind made

	for kind in apt:deb rpm:rpm; do
		made=${kind#*:}
		kind=${kind%:*}
		make_repository $kind >/dev/null
		cp -a "$MADE/$kind" "$FIX/before-$kind"
		run make_repository $kind KEY=
		assert_failure
		assert_output --partial "no key to sign with: KEY=KEYID"
		run make_repository $kind KEY=nobody@key.example
		assert_failure
		assert_output --partial "no secret key nobody@key.example"
		diff -r "$MADE/$kind" "$FIX/before-$kind"
		mkdir "$FIX/empty-$kind"
		run make_repository $kind PACKAGES_DIR="$FIX/empty-$kind"
		assert_failure
		assert_output --regexp "no packages of version .*: make $made"
		assert_not_exist "$FIX/empty-$kind/$kind"
		run make_repository $kind PACKAGES_DIR="$FIX/nowhere-$kind"
		assert_failure
		assert_output --partial "no packages in $FIX/nowhere-$kind: make $made"
	done
	# Packages of several builds are not mixed.
	mkdir "$FIX/mixed"
	cp "$MADE"/sendcp* "$FIX/mixed/"
	change_byte "$FIX/mixed"/sendcp-dkms_*.deb
	run make_repository apt PACKAGES_DIR="$FIX/mixed"
	assert_failure
	assert_output --partial "packages are not those that sendcp_"
}

@test "make rpm-repo: packages and metadata are signed" {
	local package keyring=$MADE/rpm/RPM-GPG-KEY-sendcp

	make_repository rpm RPM_URL=https://other.example/rpm >/dev/null
	cd "$MADE/rpm"
	gpg --batch --dearmor <"$keyring" >"$FIX/rpm.gpg"
	gpgv --keyring "$FIX/rpm.gpg" repodata/repomd.xml.asc repodata/repomd.xml
	change_byte repodata/repomd.xml
	run gpgv --keyring "$FIX/rpm.gpg" repodata/repomd.xml.asc repodata/repomd.xml
	assert_failure
	mkdir "$FIX/rpmdb"
	rpm --dbpath "$FIX/rpmdb" --import "$keyring"
	run rpmkeys --dbpath "$FIX/rpmdb" --checksig --verbose ./*.rpm
	assert_success
	assert_equal "$(grep -c 'Header V4 RSA/SHA256 Signature.*: OK' <<<"$output")" 4
	zcat repodata/*-primary.xml.gz >"$FIX/primary.xml"
	for package in sendcp sendcp-dkms sendcp-devel; do
		grep -q "<name>$package</name>" "$FIX/primary.xml"
	done
	run cat sendcp.repo
	assert_line gpgcheck=1
	assert_line repo_gpgcheck=1
	assert_line baseurl=https://other.example/rpm
	assert_line gpgkey=https://other.example/rpm/RPM-GPG-KEY-sendcp
	# Those that make rpm made stay as they are.
	run rpm -qp --qf '%{RSAHEADER:pgpsig}' "$MADE"/sendcp-dkms-*.rpm
	assert_output "(none)"
}

@test "make rpm-repo without rpmsign: it says what is not signed, and so does the description" {
	run env RPMSIGN="$FIX/none" SOURCE_DATE_EPOCH=1700000000 make -C "$ROOT" --no-print-directory -s rpm-repo \
		KEY=old@key.example PACKAGES_DIR="$MADE"
	assert_success
	assert_output --partial "rpmsign is missing: the packages are not signed, only the metadata with their hashes"
	run cat "$MADE/rpm/sendcp.repo"
	assert_line gpgcheck=0
	assert_line repo_gpgcheck=1
}
