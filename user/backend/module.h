/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel module: its device, what it says of itself, and the sender that is made of its ioctl.
 *
 * Everything takes where things are as an argument, so that it can be tried without a kernel.
 */
#ifndef USER_BACKEND_MODULE_H
#define USER_BACKEND_MODULE_H

#include <limits.h>
#include <stdbool.h>
#include <linux/limits.h>
#include <sendcp/engine.h>
#include <uapi/sendcp.h>

struct sender;
struct sender_input;

/* The way to the device. Both functions return -1 with errno, as the system calls do. */
struct module_access {
	const char *path;
	int (*open)(const struct module_access *access);
	int (*ioctl)(const struct module_access *access, int fd, unsigned long request,
		     void *argument);
};

/* The machine's own: open(2) and ioctl(2) of SENDCP_DEVICE. */
extern const struct module_access sendcp_module_device;

/* Everything that is asked to find out about the module. */
struct module_system {
	const struct module_access *access;
	/* The running kernel's release, and the directory of its modules. */
	char release[65];
	char modules[PATH_MAX];
	const char *lockdown;
	const char *sig_enforce;
	const char *modprobe;
	bool root;
};

enum module_state {
	MODULE_READY,
	/* Not loaded, whether installed or not. */
	MODULE_ABSENT,
	/* Something is there, but it cannot be used. */
	MODULE_BROKEN,
};

#define MODULE_WHY_SIZE 512

struct module_status {
	enum module_state state;
	/* Of a module that answers; ->size 0 otherwise. */
	struct sendcp_info info;
	/* Is there a file of it for the running kernel? */
	bool installed;
	/* The problem, and its remedy: one line. Empty if READY. */
	char why[MODULE_WHY_SIZE];
};

/* This machine. */
void sendcp_module_system_init(struct module_system *system);
/* Looks without changing anything. */
void sendcp_module_look(const struct module_system *system, struct module_status *status);
/*
 * Looks, and has it loaded if it is not and that may help: by root, and if it is installed or
 * @insist.
 */
void sendcp_module_ensure(const struct module_system *system, bool insist,
			  struct module_status *status);

/* module_loading.c: the parts of it */
/* A file of the module below @modules into @path (PATH_MAX), or false. */
bool sendcp_module_installed(const char *modules, char *path);
/* Why loading failed; @words is what modprobe said. */
void sendcp_module_explain_failure(const struct module_system *system, const char *words,
				   struct module_status *status);
/* Runs modprobe: 0 or -1, and what it said into @words. */
int sendcp_module_load(const struct module_system *system, char *words, size_t size);

/* module_request.c: the arguments that all calls of one sender share. Arrays are malloc'ed. */
struct module_request {
	u32 protocol;
	/* SENDCP_* that go into a checkpoint. */
	u32 flags;
	int subvolume_fd;
	int parent_fd;
	int *device_fds;
	u32 device_count;
	int *clone_fds;
	u32 clone_count;
};

int sendcp_module_request_make(const struct sender_input *input, struct module_request *request,
			       struct sendcp_error *error);
void sendcp_module_request_release(struct module_request *request);

/* module_sender.c. Takes @request over, on failure too. */
int sendcp_module_sender_open(const struct module_access *access, struct module_request *request,
			      const void *checkpoint, size_t checkpoint_size, struct sender **out,
			      struct sendcp_error *error);

/*
 * module_error.c: the error record of a call that failed with @err (positive), as an engine's
 * error. Returns the negative errno.
 */
int sendcp_module_error_take(const struct sendcp_failure *from, int err, struct sendcp_error *to);
/* A failure that only @detail describes. */
int sendcp_module_error_say(int err, const char *detail, struct sendcp_error *to);

#endif
