// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the kernel module there, and can it be used?
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backend/module.h"

static int device_open(const struct module_access *access)
{
	return open(access->path, O_RDWR | O_CLOEXEC);
}

static int device_ioctl(const struct module_access *access, int fd, unsigned long request,
			void *argument)
{
	return ioctl(fd, request, argument);
}

const struct module_access sendcp_module_device = {
	.path = SENDCP_DEVICE,
	.open = device_open,
	.ioctl = device_ioctl,
};

void sendcp_module_system_init(struct module_system *system)
{
	struct utsname name;

	*system = (struct module_system){
		.access = &sendcp_module_device,
		.lockdown = "/sys/kernel/security/lockdown",
		.sig_enforce = "/sys/module/module/parameters/sig_enforce",
		.modprobe = "/sbin/modprobe",
		.root = !geteuid(),
	};
	if (uname(&name))
		return;
	snprintf(system->release, sizeof(system->release), "%.64s", name.release);
	snprintf(system->modules, sizeof(system->modules), "/lib/modules/%.64s", name.release);
}

static void say(struct module_status *status, enum module_state state, const char *why)
{
	status->state = state;
	snprintf(status->why, sizeof(status->why), "%s", why);
}

/* A device node can outlive the module, which then answers ENXIO or ENODEV. */
static bool says_absent(int err)
{
	return err == ENOENT || err == ENXIO || err == ENODEV;
}

static void explain_absent(const struct module_system *system, struct module_status *status)
{
	char path[PATH_MAX];

	status->state = MODULE_ABSENT;
	status->installed = sendcp_module_installed(system->modules, path);
	if (status->installed)
		snprintf(status->why, sizeof(status->why),
			 "the kernel module sendcp is installed (%.300s) but not loaded: modprobe "
			 "sendcp", path);
	else
		snprintf(status->why, sizeof(status->why),
			 "the kernel module sendcp is not installed for kernel %s: install "
			 "sendcp-dkms and the headers of that kernel, or make modules_install",
			 system->release);
}

static void explain_open(const struct module_system *system, int err,
			 struct module_status *status)
{
	if (says_absent(err)) {
		explain_absent(system, status);
		return;
	}
	snprintf(status->why, sizeof(status->why), "cannot open %s: %s%s", system->access->path,
		 strerror(err), err == EACCES || err == EPERM ?
		 " (only root may, and a container must be given the device; --backend direct "
		 "does without)" : "");
	status->state = MODULE_BROKEN;
}

static void check_info(struct module_status *status)
{
	struct sendcp_info *info = &status->info;

	info->version[sizeof(info->version) - 1] = '\0';
	if (info->abi_version == SENDCP_ABI_VERSION)
		return;
	status->state = MODULE_BROKEN;
	snprintf(status->why, sizeof(status->why),
		 "the loaded kernel module (version %s) has ABI version %u, and this program "
		 "(version %s) needs %u: load the module of the same version, or use --backend "
		 "direct", info->version, info->abi_version, SENDCP_VERSION, SENDCP_ABI_VERSION);
}

static void ask(const struct module_system *system, int fd, struct module_status *status)
{
	struct sendcp_info info = { .size = sizeof(info) };

	if (system->access->ioctl(system->access, fd, SENDCP_IOC_INFO, &info)) {
		snprintf(status->why, sizeof(status->why), "%s does not answer as sendcp's "
			 "kernel module: %s", system->access->path, strerror(errno));
		status->state = MODULE_BROKEN;
		return;
	}
	status->info = info;
	check_info(status);
}

void sendcp_module_look(const struct module_system *system, struct module_status *status)
{
	int fd = system->access->open(system->access);

	memset(status, 0, sizeof(*status));
	say(status, MODULE_READY, "");
	if (fd < 0) {
		explain_open(system, errno, status);
		return;
	}
	status->installed = true;
	ask(system, fd, status);
	close(fd);
}

void sendcp_module_ensure(const struct module_system *system, bool insist,
			  struct module_status *status)
{
	char words[256];

	sendcp_module_look(system, status);
	if (status->state != MODULE_ABSENT || !system->root || !(status->installed || insist))
		return;
	if (sendcp_module_load(system, words, sizeof(words))) {
		sendcp_module_explain_failure(system, words, status);
		return;
	}
	sendcp_module_look(system, status);
	if (status->state == MODULE_ABSENT)
		snprintf(status->why, sizeof(status->why),
			 "the kernel module sendcp was loaded, but there is no %s (a container "
			 "must be given the device)", system->access->path);
}
