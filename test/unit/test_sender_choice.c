// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the module there, may it be loaded, and why not: with a device, a folder of modules and a
 * modprobe of the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "backend/module.h"

struct machine {
	struct module_access access;
	struct module_system system;
	/* open() answers this while the file "loaded" is not there. */
	int open_errno;
	int info_errno;
	struct sendcp_info info;
	char directory[64];
	char paths[4][128];
};

static struct machine machine;

static int exists(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", machine.directory, name);
	return !access(path, F_OK);
}

static int machine_open(const struct module_access *access)
{
	assert_ptr_equal(access, &machine.access);
	if (!machine.open_errno || exists("loaded"))
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	errno = machine.open_errno;
	return -1;
}

static int machine_ioctl(const struct module_access *access, int fd, unsigned long request,
			 void *argument)
{
	struct sendcp_info *info = argument;

	assert_int_equal(request, SENDCP_IOC_INFO);
	assert_int_equal(info->size, sizeof(*info));
	if (machine.info_errno) {
		errno = machine.info_errno;
		return -1;
	}
	*info = machine.info;
	return 0;
}

/* Runs a shell script in the machine's folder. */
static void run(const char *script)
{
	char command[2048];

	snprintf(command, sizeof(command), "cd '%s' && { %s\n}", machine.directory, script);
	assert_int_equal(system(command), 0);
}

static const char *path_of(unsigned int index, const char *name)
{
	snprintf(machine.paths[index], sizeof(machine.paths[index]), "%s/%s", machine.directory,
		 name);
	return machine.paths[index];
}

/* A machine with root, modprobe that loads, and a module that is neither loaded nor installed. */
static int setup(void **state)
{
	machine = (struct machine){
		.access = { .path = "/dev/fake", .open = machine_open, .ioctl = machine_ioctl },
		.open_errno = ENOENT,
		.info = {
			.size = sizeof(struct sendcp_info), .abi_version = SENDCP_ABI_VERSION,
			.protocol_min = 1, .protocol_max = 2, .compat_kernel = 618,
			.version = "9.8.7",
		},
		.directory = "/tmp/sendcp-choice.XXXXXX",
	};
	if (!mkdtemp(machine.directory))
		return -1;
	machine.system = (struct module_system){
		.access = &machine.access,
		.release = "6.1.0-test",
		.lockdown = path_of(0, "lockdown"),
		.sig_enforce = path_of(1, "sig_enforce"),
		.modprobe = path_of(2, "modprobe"),
		.root = true,
	};
	snprintf(machine.system.modules, sizeof(machine.system.modules), "%s/modules",
		 machine.directory);
	run("mkdir -p modules/updates/dkms modules/extra\n"
	    "printf '#!/bin/sh\\n[ \"$*\" = \"-- sendcp\" ] || exit 99\\n"
	    "touch %s/ran %s/loaded\\n' "
	    "\"$PWD\" \"$PWD\" >modprobe; chmod 755 modprobe");
	return 0;
}

static int teardown(void **state)
{
	run("rm -rf \"$PWD\"");
	return 0;
}

static void installed(void)
{
	run("echo 'updates/dkms/sendcp.ko.xz: kernel/fs/btrfs/btrfs.ko' >modules/modules.dep");
}

static struct module_status look(void)
{
	struct module_status status;

	sendcp_module_look(&machine.system, &status);
	return status;
}

static struct module_status ensure(bool insist)
{
	struct module_status status;

	sendcp_module_ensure(&machine.system, insist, &status);
	return status;
}

static void assert_says(const struct module_status *status, const char *words)
{
	if (!strstr(status->why, words))
		fail_msg("\"%s\" is not in \"%s\"", words, status->why);
	assert_null(strchr(status->why, '\n'));
}

static void ready(void **state)
{
	struct module_status status;

	machine.open_errno = 0;
	status = look();
	assert_int_equal(status.state, MODULE_READY);
	assert_string_equal(status.why, "");
	assert_string_equal(status.info.version, "9.8.7");
	assert_int_equal(ensure(true).state, MODULE_READY);
	assert_false(exists("ran"));
}

static void another_abi_names_both_versions(void **state)
{
	struct module_status status;

	machine.open_errno = 0;
	machine.info.abi_version = 77;
	status = ensure(false);
	assert_int_equal(status.state, MODULE_BROKEN);
	assert_says(&status, "version 9.8.7) has ABI version 77");
	assert_says(&status, "needs 1");
	assert_says(&status, SENDCP_VERSION);
}

static void versions_without_end_are_survived(void **state)
{
	machine.open_errno = 0;
	memset(machine.info.version, 'v', sizeof(machine.info.version));
	assert_int_equal(strlen(look().info.version), sizeof(machine.info.version) - 1);
}

static void there_but_not_usable(void **state)
{
	struct module_status status;

	machine.open_errno = EACCES;
	status = ensure(false);
	assert_int_equal(status.state, MODULE_BROKEN);
	assert_says(&status, "cannot open /dev/fake: Permission denied");
	machine.open_errno = EPERM;
	assert_int_equal(ensure(true).state, MODULE_BROKEN);
	machine.open_errno = 0;
	machine.info_errno = ENOTTY;
	status = look();
	assert_int_equal(status.state, MODULE_BROKEN);
	assert_says(&status, "does not answer");
	assert_false(exists("ran"));
}

static void not_installed(void **state)
{
	static const char *const lists[] = {
		"rm -f modules/modules.dep",
		"echo 'kernel/fs/btrfs/btrfs.ko: kernel/lib/sendcp.ko' >modules/modules.dep",
		"echo 'extra/sendcp.kopie: ' >modules/modules.dep",
		"echo 'extra/notsendcp.ko:' >modules/modules.dep",
		"echo 'extra/sendcp.ko' >modules/modules.dep",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct module_status status;

		run(lists[i]);
		status = ensure(false);
		assert_int_equal(status.state, MODULE_ABSENT);
		assert_false(status.installed);
		assert_says(&status, "not installed for kernel 6.1.0-test");
		assert_says(&status, "sendcp-dkms");
	}
	assert_false(exists("ran"));
}

static void installed_but_not_loaded(void **state)
{
	static const char *const files[] = {
		"echo 'updates/dkms/sendcp.ko.xz: x' >modules/modules.dep",
		"echo 'sendcp.ko:' >modules/modules.dep",
		"echo '/opt/modules/sendcp.ko.zst: ' >modules/modules.dep",
		"touch modules/extra/sendcp.ko",
		"touch modules/updates/dkms/sendcp.ko.zst",
	};
	static const char *const names[] = {
		"modules/updates/dkms/sendcp.ko.xz)", "modules/sendcp.ko)",
		"(/opt/modules/sendcp.ko.zst)", "modules/extra/sendcp.ko)",
		"modules/updates/dkms/sendcp.ko.zst)",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct module_status status;

		run("rm -f modules/modules.dep modules/*/sendcp.ko* modules/*/*/sendcp.ko*");
		run(files[i]);
		status = look();
		assert_int_equal(status.state, MODULE_ABSENT);
		assert_true(status.installed);
		assert_says(&status, names[i]);
		assert_says(&status, "modprobe sendcp");
	}
	assert_false(exists("ran"));
}

/* A node that has no driver. */
static void a_node_left_behind_is_absent(void **state)
{
	machine.open_errno = ENXIO;
	assert_int_equal(look().state, MODULE_ABSENT);
	machine.open_errno = ENODEV;
	assert_int_equal(look().state, MODULE_ABSENT);
}

static void loaded_if_installed(void **state)
{
	installed();
	assert_int_equal(ensure(false).state, MODULE_READY);
	assert_true(exists("ran"));
}

static void loaded_if_insisted(void **state)
{
	assert_int_equal(ensure(false).state, MODULE_ABSENT);
	assert_false(exists("ran"));
	assert_int_equal(ensure(true).state, MODULE_READY);
	assert_true(exists("ran"));
}

static void only_root_loads(void **state)
{
	installed();
	machine.system.root = false;
	assert_int_equal(ensure(true).state, MODULE_ABSENT);
	assert_false(exists("ran"));
}

static void loaded_but_no_device(void **state)
{
	struct module_status status;

	installed();
	run("printf '#!/bin/sh\\n' >modprobe");
	status = ensure(true);
	assert_int_equal(status.state, MODULE_ABSENT);
	assert_says(&status, "was loaded, but there is no /dev/fake");
}

static void refuse(const char *words)
{
	char script[400];

	installed();
	snprintf(script, sizeof(script),
		 "printf '#!/bin/sh\\nprintf \"%s\" >&2\\nexit 1\\n' >modprobe", words);
	run(script);
}

static void modprobe_is_quoted(void **state)
{
	struct module_status status;

	refuse("modprobe: ERROR: could not insert: Exec format error\\\\nand more\\\\n");
	status = ensure(false);
	assert_int_equal(status.state, MODULE_ABSENT);
	assert_says(&status, "cannot be loaded: modprobe: ERROR: could not insert: Exec format "
		    "error and more");
	refuse("");
	status = ensure(false);
	assert_says(&status, "cannot be loaded: ");
	assert_says(&status, "/modprobe failed");
	run("rm modprobe");
	status = ensure(false);
	assert_says(&status, "cannot run ");
	assert_says(&status, "No such file");
}

/* Its output must not get into the stream, of any length. */
static void modprobe_may_talk(void **state)
{
	struct module_status status;

	installed();
	run("printf '#!/bin/sh\\nhead -c 300000 /dev/zero | tr \"\\\\0\" x\\nexit 3\\n' >modprobe");
	status = ensure(false);
	assert_int_equal(status.state, MODULE_ABSENT);
	assert_says(&status, "xxxxxxxx");
}

static void lockdown_is_explained(void **state)
{
	static const char *const modes[] = {
		"echo 'none [integrity] confidentiality' >lockdown",
		"echo 'none integrity [confidentiality]' >lockdown",
	};
	struct module_status status;

	refuse("Operation not permitted");
	run("echo '[none] integrity confidentiality' >lockdown");
	status = ensure(false);
	assert_null(strstr(status.why, "lockdown"));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		run(modes[i]);
		status = ensure(false);
		assert_says(&status, "kernel lockdown refuses unsigned modules: enroll the DKMS "
			    "key (mokutil");
		assert_says(&status, "--backend direct (Operation not permitted)");
	}
}

static void signatures_are_explained(void **state)
{
	struct module_status status;

	refuse("Key was rejected by service");
	run("echo N >sig_enforce");
	/* If sysfs does not say, modprobe does. */
	status = ensure(false);
	assert_says(&status, "module.sig_enforce");
	refuse("Operation not permitted");
	assert_null(strstr(ensure(false).why, "sig_enforce"));
	refuse("Key was rejected by service");
	run("echo Y >sig_enforce");
	status = ensure(false);
	assert_says(&status, "module.sig_enforce");
	assert_says(&status, "(Key was rejected by service)");
	/* Lockdown asks for signatures as well; its remedy is the one to print. */
	run("echo '[integrity]' >lockdown");
	status = ensure(false);
	assert_says(&status, "lockdown");
}

/* Not installed stays the cause, even if modprobe says otherwise. */
static void insisting_on_nothing(void **state)
{
	struct module_status status;

	run("printf '#!/bin/sh\\nexit 1\\n' >modprobe; echo '[integrity]' >lockdown");
	status = ensure(true);
	assert_int_equal(status.state, MODULE_ABSENT);
	assert_says(&status, "not installed for kernel");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ready),
		T(another_abi_names_both_versions),
		T(versions_without_end_are_survived),
		T(there_but_not_usable),
		T(not_installed),
		T(installed_but_not_loaded),
		T(a_node_left_behind_is_absent),
		T(loaded_if_installed),
		T(loaded_if_insisted),
		T(only_root_loads),
		T(loaded_but_no_device),
		T(modprobe_is_quoted),
		T(modprobe_may_talk),
		T(lockdown_is_explained),
		T(signatures_are_explained),
		T(insisting_on_nothing),
	};

	return cmocka_run_group_tests_name("sender_choice", tests, NULL, NULL);
}
