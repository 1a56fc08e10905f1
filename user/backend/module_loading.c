// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading the kernel module, and why that did not work.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/module.h"

#define FILE_NAME "sendcp.ko"

/*
 * The file in a line of modules.dep: "updates/dkms/sendcp.ko.xz: ...". Dependencies follow
 * the colon.
 */
static bool names_module(char *line)
{
	char *colon = strchr(line, ':');
	const char *name;

	if (!colon)
		return false;
	*colon = '\0';
	name = strrchr(line, '/');
	name = name ? name + 1 : line;
	return !strncmp(name, FILE_NAME, strlen(FILE_NAME)) &&
	       strchr(".", name[strlen(FILE_NAME)]);
}

/* In modules.dep, as modprobe looks it up. */
static bool listed(const char *modules, char *path)
{
	size_t capacity = 0;
	char *line = NULL;
	bool found = false;
	FILE *list;

	if (snprintf(path, PATH_MAX, "%s/modules.dep", modules) >= PATH_MAX)
		return false;
	list = fopen(path, "re");
	if (!list)
		return false;
	while (!found && getline(&line, &capacity, list) > 0)
		found = names_module(line);
	fclose(list);
	if (found)
		found = snprintf(path, PATH_MAX, "%s%s%s", line[0] == '/' ? "" : modules,
				 line[0] == '/' ? "" : "/", line) < PATH_MAX;
	free(line);
	return found;
}

bool sendcp_module_installed(const char *modules, char *path)
{
	static const char *const folders[] = { "updates/dkms", "updates", "extra" };
	static const char *const endings[] = { "", ".xz", ".zst", ".gz" };

	if (listed(modules, path))
		return true;
	/* There, but depmod has not been run. */
	for (size_t i = 0; i < ARRAY_SIZE(folders) * ARRAY_SIZE(endings); i++) {
		int length = snprintf(path, PATH_MAX, "%s/%s/" FILE_NAME "%s", modules,
				      folders[i / ARRAY_SIZE(endings)],
				      endings[i % ARRAY_SIZE(endings)]);

		if (length < PATH_MAX && !access(path, F_OK))
			return true;
	}
	return false;
}

/* The beginning of a small file; empty if there is none. */
static void read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t got = 0;

	if (file) {
		got = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[got] = '\0';
}

static bool locked_down(const struct module_system *system)
{
	char text[128];

	read_text(system->lockdown, text, sizeof(text));
	return strstr(text, "[integrity]") || strstr(text, "[confidentiality]");
}

static bool signatures_enforced(const struct module_system *system)
{
	char text[8];

	read_text(system->sig_enforce, text, sizeof(text));
	return text[0] == 'Y';
}

void sendcp_module_explain_failure(const struct module_system *system, const char *words,
				   struct module_status *status)
{
	const char *cause = "";

	/* Not installed: sendcp_module_look() has set the reason already. */
	if (!status->installed)
		return;
	if (locked_down(system))
		cause = "kernel lockdown refuses unsigned modules: enroll the DKMS key (mokutil "
			"--import /var/lib/dkms/mok.pub) or use --backend direct";
	else if (signatures_enforced(system) || strstr(words, "Key was rejected"))
		cause = "the kernel takes signed modules only (module.sig_enforce): sign it with a "
			"key that the kernel knows, or use --backend direct";
	snprintf(status->why, sizeof(status->why),
		 "the kernel module sendcp cannot be loaded: %s%s%.200s%s", cause,
		 *cause && *words ? " (" : "", words, *cause && *words ? ")" : "");
}

/* Its output, on one line, until it ends. More than fits is read and dropped. */
static void collect(int fd, char *words, size_t size)
{
	char rest[256];
	size_t length = 0;
	ssize_t got = 1;

	while (got > 0 || (got < 0 && errno == EINTR)) {
		bool capacity = length < size - 1;

		got = read(fd, capacity ? words + length : rest,
			   capacity ? size - 1 - length : sizeof(rest));
		if (got > 0 && capacity)
			length += (size_t)got;
	}
	while (length && words[length - 1] == '\n')
		length--;
	words[length] = '\0';
	for (char *at = words; (at = strchr(at, '\n'));)
		*at = ' ';
}

/* Whatever this program blocks. */
static int unblock_signals(posix_spawnattr_t *attributes)
{
	sigset_t none;
	int ret = posix_spawnattr_init(attributes);

	if (ret)
		return ret;
	sigemptyset(&none);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
	return 0;
}

static int start(const struct module_system *system, int output, pid_t *child)
{
	static char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
	};
	char *const arguments[] = { (char *)system->modprobe, "--", "sendcp", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ret = posix_spawn_file_actions_init(&actions);

	if (ret)
		return ret;
	ret = unblock_signals(&attributes);
	if (ret)
		goto destroy_actions;
	/* Standard output belongs to the stream. */
	ret = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!ret)
		ret = posix_spawn(child, system->modprobe, &actions, &attributes, arguments,
				  environment);
	posix_spawnattr_destroy(&attributes);
destroy_actions:
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

int sendcp_module_load(const struct module_system *system, char *words, size_t size)
{
	int ends[2];
	pid_t child;
	int ret;

	*words = '\0';
	if (pipe2(ends, O_CLOEXEC)) {
		snprintf(words, size, "no pipe: %s", strerror(errno));
		return -1;
	}
	ret = start(system, ends[1], &child);
	close(ends[1]);
	if (ret) {
		snprintf(words, size, "cannot run %s: %s", system->modprobe, strerror(ret));
	} else {
		collect(ends[0], words, size);
		ret = wait_for(child);
		if (ret && !*words)
			snprintf(words, size, "%s failed", system->modprobe);
	}
	close(ends[0]);
	return ret ? -1 : 0;
}
