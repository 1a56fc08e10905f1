#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest of the installation test at each boot, and writes its results to the second
# serial line. The first boot installs from the signed repository /check/apt, as a user does; the
# second has the newer kernel and purges, the third runs the packages' own tests. With an argument
# it runs in the unbooted root: `upgrade` the system, before the second boot; `testing`, before the
# third, installs again as autopkgtest does; `installation`, instead of installing in the first boot.
set -uo pipefail

cd /check || exit 1
[ $# -gt 0 ] || exec >/dev/ttyS1 2>&1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
old=$(cat old)
new=$(cat new)
state=/root/check-state
nightly=/srv/nightly
units=/etc/systemd/system
keyring=/etc/apt/keyrings/sendcp-archive-keyring.asc
sources=/etc/apt/sources.list.d/sendcp.sources
where=${1:-$(uname -r)}
version=$(dpkg-deb -f sendcp_*.deb Version)
# DKMS's is upstream's.
version=${version%-*}

# check NAME COMMAND...: prints the output of a failed command.
check()
{
	local name="$1 ($where)" began=$SECONDS

	shift
	if "$@" >/run/said 2>&1; then
		echo "ok - $name in $((SECONDS - began)) s"
	else
		echo "not ok - $name"
		sed 's/^/#  /' /run/said
	fi
}

# note COMMAND...: writes the output to the log.
note()
{
	echo "# \$ $*"
	"$@" 2>&1 | tail -n "${NOTE_LINES:-12}" | sed 's/^/#   /'
}

# All files except those in memory, volatile ones, and the test's own.
list_files()
{
	find / -xdev \( -path /check -o -path /repository -o -path /root -o -path /tmp -o -path /var/log \
		-o -path /var/lib/apt -o -path /var/cache -o -path '/var/tmp/systemd-*' -o -path /var/lib/systemd/random-seed \) -prune \
		-o -print | sort
}

built_for()
{
	dkms status -m sendcp -v "$version" -k "$1" | grep 'installed' &&
		find "/lib/modules/$1/updates" -name 'sendcp.ko*' | grep .
}

in_boot_kernel()
{
	[ "$(uname -r)" = "$1" ]
}

# As docs/packages.md says, but for the way the two files get here.
add_sources()
{
	cp apt/sendcp.sources $sources && grep -x "Signed-By: $keyring" $sources
}

refused_without_key()
{
	add_sources && ! apt update && ! apt-cache policy sendcp-dkms | grep Candidate
}

add_keyring()
{
	mkdir -p /etc/apt/keyrings && cp apt/sendcp-archive-keyring.asc $keyring &&
		apt update >/run/updated 2>&1 && ! grep '^[WE]:' /run/updated
}

found_by_search()
{
	apt search resumable btrfs >/run/found 2>/dev/null && grep -q ^sendcp/stable /run/found &&
		grep -q ^sendcp-dkms/stable /run/found
}

recommended_came()
{
	apt-config dump APT::Install-Recommends | grep -F '"1"' &&
		apt-mark showauto sendcp dkms btrfs-progs linux-headers-amd64 "linux-headers-$old" >/run/auto &&
		cat /run/auto && [ "$(wc -l </run/auto)" = 5 ]
}

not_loaded()
{
	[ ! -e /dev/sendcp ] && ! grep -qw ^sendcp /proc/modules
}

info_knows_module()
{
	sendcp info && sendcp info --json | grep -q '"module"'
}

loaded()
{
	grep -w ^sendcp /proc/modules && [ -c /dev/sendcp ]
}

timer_is_off()
{
	systemctl list-unit-files --no-legend sendcp-send@.timer | grep -w disabled
}

# Up to some minutes: the guest is emulated.
wait_until()
{
	local i

	for ((i = 0; i < 600; i++)); do
		! "$@" || return 0
		sleep 0.5
	done
	echo "waited in vain until: $*"
	return 1
}

# Starts a unit and waits for it; systemctl --wait needs a bus, which a minimal system does not
# have.
run_unit()
{
	systemctl start "$1" && wait_until has_ended && [ "$(systemctl show -P Result "$1")" = success ]
}

# A subvolume that does not fit into the target, and a timer that is due at once.
prepare_nightly()
{
	mkdir -p $nightly/mnt $nightly/target /etc/sendcp $units/sendcp-send@data.{service,timer}.d
	truncate -s 300M $nightly/disk
	mkfs.btrfs -q $nightly/disk
	mount -o loop $nightly/disk $nightly/mnt
	mount -t tmpfs -o size=16M tmpfs $nightly/target
	touch $nightly/target/.sendcp-target
	btrfs subvolume create $nightly/mnt/data
	mkdir $nightly/mnt/snapshots
	cp -a /usr/share/doc $nightly/mnt/data/
	head -c 30M /dev/urandom >$nightly/mnt/data/random
	printf '%s\n' SUBVOLUME=$nightly/mnt/data SNAPSHOTS=$nightly/mnt/snapshots TARGET=$nightly/target \
		"OPTIONS=-v --backend module" >/etc/sendcp/data.conf
	printf '%s\n' '[Service]' RestartSec=2 >$units/sendcp-send@data.service.d/soon.conf
	printf '%s\n' '[Timer]' OnCalendar= OnActiveSec=1 RandomizedDelaySec=0 AccuracySec=1 \
		>$units/sendcp-send@data.timer.d/soon.conf
	systemctl daemon-reload
}

# Started by the timer, with the module, which the unit must have loaded; interrupted when the target
# is full, and resumed when there is space; then a second snapshot is sent, without changes since the
# first.
timer_sends()
{
	! loaded || rmmod sendcp
	prepare_nightly
	systemctl start sendcp-send@data.timer
	wait_until restarted && ls -la $nightly/target && ls $nightly/target/*.cp || { tell_nightly; return 1; }
	mount -o remount,size=200M $nightly/target
	wait_until has_ended && [ "$(systemctl show -P Result sendcp-send@data.service)" = success ] &&
		[ "$(ls $nightly/target/*.stream | wc -l)" = 2 ] && ! ls $nightly/target/*.cp || { tell_nightly; return 1; }
}

restarted()
{
	[ "$(systemctl show -P NRestarts sendcp-send@data.service)" -ge 1 ]
}

has_ended()
{
	[ "$(systemctl show -P ActiveState sendcp-send@data.service)" = inactive ]
}

# As in the guest's systemd, which knows other settings than the one of the build.
exposure()
{
	cp /usr/lib/systemd/system/sendcp-send@.service /run/sendcp-send@data.service
	systemd-analyze security --offline=yes --no-pager --threshold=20 /run/sendcp-send@data.service
}

# Sends one more snapshot, with changes, from the block devices; all are received.
service_sends_changes()
{
	local stream

	sed -i 's/--backend module/--backend direct/' /etc/sendcp/data.conf
	rm -r $nightly/mnt/data/doc/a*
	run_unit sendcp-send@data.service && [ "$(ls $nightly/target | wc -l)" = 3 ] &&
		[ "$(ls $nightly/mnt/snapshots | wc -l)" = 1 ] && mkdir $nightly/mnt/received || { tell_nightly; return 1; }
	for stream in $nightly/target/*.stream; do
		btrfs receive -q -f "$stream" $nightly/mnt/received || return
	done
	diff -r --no-dereference $nightly/mnt/data "$(ls -d $nightly/mnt/received/* | tail -n 1)"
}

tell_nightly()
{
	ls -la $nightly/target
	systemctl status --no-pager sendcp-send@data.service sendcp-send@data.timer
	journalctl -u sendcp-send@data.service --no-pager | tail -n 20
}

# systemd keeps the time stamp of the last run in case the timer is started again.
clear_nightly()
{
	systemctl stop sendcp-send@data.timer
	! mountpoint -q $nightly/mnt || umount $nightly/mnt
	! mountpoint -q $nightly/target || umount $nightly/target
	rm -rf $nightly /etc/sendcp $units/sendcp-send@data.{service,timer}.d /var/lib/systemd/timers/stamp-sendcp*
	systemctl daemon-reload
}

# By the packages that mean the current kernel; the headers' one came with sendcp-dkms. `apt upgrade`
# would keep the kernel, because what it recommends is not in the guest.
upgrade_system()
{
	echo 'deb [trusted=yes] file:/repository/now ./' >>/etc/apt/sources.list
	apt update && apt full-upgrade -y && dpkg-query -W "linux-image-$new" "linux-headers-$new"
}

# own_test NAME [DEB...]: runs a test of the source package with autopkgtest: with DEBs, installs
# them and the test's dependencies; without, uses the installed packages. Changes the system it runs
# in. Debian classifies a module build as "superficial", and exits with 8 if nothing else passed.
own_test()
{
	local status=0

	autopkgtest --no-built-binaries --ignore-restrictions=isolation-machine,breaks-testbed \
		--test-name="$1" --summary-file=/root/summary sendcp_*.dsc "${@:2}" -- null || status=$?
	echo "status $status"
	case $status in
	0) grep -E "^$1 +PASS\$" /root/summary ;;
	8) grep -E "^$1 +PASS \(superficial\)" /root/summary ;;
	*) return 1 ;;
	esac
}

purge_packages()
{
	apt purge -y sendcp sendcp-dkms && rm $keyring $sources
}

# The files of all packages, also by their paths in /usr if /lib and others are links to it.
owned_files()
{
	cat /var/lib/dpkg/info/*.list | sed -nE 'p; s,^/(lib|lib64|bin|sbin)(/|$),/usr/\1\2,p' | sort -u
}

# Files that are new since the start must belong to the new kernel, or to packages that were
# installed with ours and remain.
nothing_left()
{
	local file status=0

	list_files >/root/after
	while read -r file; do
		case $file in
		*"$new"* | /var/lib/dpkg/* | /etc/.pwd.lock | /boot*) continue ;;
		# DKMS makes a signing key once.
		/var/lib/dkms/mok.*) continue ;;
		esac
		generated "$file" || { echo "left: $file"; status=1; }
	done < <(comm -13 /root/before /root/after | comm -23 - <(owned_files))
	comm -23 /root/before /root/after | grep -v "$old\|/var/lib/dpkg" | sed 's/^/gone: /'
	return $status
}

# Made by other packages' scripts, those of recommended packages too, which stay: links of
# alternatives and of services, caches.
generated()
{
	case $1 in
	/etc/fonts/conf.d/* | /etc/hosts | /etc/inputrc | /etc/networks | /etc/rc[0-6S].d/* | /etc/systemd/user/* | /usr/local/share/fonts) return 0 ;;
	/etc/.updated | /var/.updated | /var/backups/* | /dev/* | /etc/alternatives/* | /usr/share/info/dir* | /etc/ld.so.cache | /etc/ssl/certs/* | *.pyc | */__pycache__ | \
		/var/lib/systemd/* | /vmlinuz* | /initrd* | /etc/group- | /etc/gshadow- | /etc/passwd- | /etc/shadow-) return 0 ;;
	esac
	[ -L "$1" ] && readlink "$1" | grep -q ^/etc/alternatives/
}

no_file_by_name()
{
	! find / -xdev \( -path /check -o -path /var/log -o -path /var/cache/apt \) -prune -o -iname '*sendcp*' -print | grep .
}

nothing_in_dkms()
{
	! dkms status | grep sendcp
}

unloads()
{
	rmmod sendcp && not_loaded
}

# The effect of Secure Boot on a module whose key is not enrolled.
locked_down()
{
	local dir=/srv/locked status=0

	mkdir -p $dir/mnt && truncate -s 200M $dir/disk && mkfs.btrfs -q $dir/disk && mount -o loop $dir/disk $dir/mnt &&
		btrfs subvolume create $dir/mnt/data && btrfs subvolume snapshot -r $dir/mnt/data $dir/mnt/snapshot || return
	echo integrity >/sys/kernel/security/lockdown || status=1
	! sendcp send --backend module -f $dir/stream $dir/mnt/snapshot >$dir/words 2>&1 || status=1
	cat $dir/words
	grep -F 'kernel lockdown refuses unsigned modules: enroll the DKMS key' $dir/words || status=1
	sendcp send -v -f $dir/stream $dir/mnt/snapshot && sendcp verify $dir/stream && not_loaded || status=1
	umount $dir/mnt
	rm -r $dir
	return $status
}

module_gone_for_all()
{
	! find /lib/modules -name 'sendcp.ko*' | grep .
}

installation()
{
	list_files >/root/before
	check "without its keyring, apt refuses the repository" refused_without_key
	check "with it in /etc/apt/keyrings, apt update" add_keyring
	check "apt search resumable btrfs" found_by_search
	check "apt install sendcp-dkms" apt install -y sendcp-dkms
	NOTE_LINES=8 note cat /run/said
	check "it came with the kernel's headers" recommended_came
	check "dkms built the module" built_for "$old"
	note dkms status
	touch /root/installed
}

first_boot()
{
	echo "# $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r)"
	check "boots the older kernel" in_boot_kernel "$old"
	[ -e /root/installed ] || installation
	check "nothing has loaded it" not_loaded
	check "the timer is there and off" timer_is_off
	check "round trip: send by the module, interrupted, resumed, received" bash ./round-trip
	note cat /run/said
	check "sendcp loaded the module by itself" loaded
	check "sendcp info" info_knows_module
	NOTE_LINES=4 note bash -c "sendcp info | head -n 4"
	check "the service's exposure is at most 2.0" exposure
	NOTE_LINES=1 note cat /run/said
	check "the timer sends; interrupted, the service resumes" timer_sends
	check "the service sends what changed; all is received" service_sends_changes
	clear_nightly
	echo used >$state
}

upgrade()
{
	check "apt full-upgrade, to the newer kernel" upgrade_system
	NOTE_LINES=6 note cat /run/said
	check "dkms built the module for the new kernel" built_for "$new"
	note dkms status
}

second_boot()
{
	check "boots the newer kernel" in_boot_kernel "$new"
	check "nothing has loaded it" not_loaded
	check "round trip: send by the module, interrupted, resumed, received" bash ./round-trip
	note cat /run/said
	check "the module unloads" unloads
	check "locked down: says why, and sends without the module" locked_down
	NOTE_LINES=4 note cat /run/said
	check "apt purge" purge_packages
	NOTE_LINES=8 note cat /run/said
	check "dkms knows nothing of it" nothing_in_dkms
	check "no module left, of any kernel" module_gone_for_all
	check "no file of that name left" no_file_by_name
	check "no other file left" nothing_left
	note dkms status
	note dmesg --level=err,warn
	echo purged >$state
}

testing()
{
	check "apt install autopkgtest" apt-get -q -y --no-install-recommends install autopkgtest autodep8
	check "autopkgtest-pkg-dkms, for both kernels" own_test dkms-autopkgtest sendcp_*.deb sendcp-d*.deb
	NOTE_LINES=6 note grep -E '^(I: (PASS|SKIP|FAIL)|dkms-autopkgtest|I: Summary)' /run/said
	check "it built the module for the older kernel" built_for "$old"
	check "it built the module for the newer kernel" built_for "$new"
}

third_boot()
{
	check "apt install ./sendcp-dev.deb" apt-get -q -y --no-install-recommends install ./sendcp-dev_*.deb
	check "autopkgtest: round-trip" own_test round-trip
	NOTE_LINES=20 note cat /run/said
	check "the module was used" loaded
	echo "# end"
}

if [ $# -gt 0 ]; then
	"$1"
	exit
fi
case $(cat $state 2>/dev/null) in
'') first_boot ;;
used) second_boot ;;
purged) third_boot ;;
esac
