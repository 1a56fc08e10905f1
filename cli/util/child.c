// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the user's, run by a shell.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/child.h"
#include "util/pause.h"

#define SHELL "/bin/sh"
/* Enough for a command that got its last bytes to store them. */
#define PATIENCE (5 * NANOSECONDS)
/* A shell with more below it leaves the rest alone. */
#define TREE_MAX 64
#define LOOK_MOST (NANOSECONDS / 20)

/* What this process ignores on its own account; handlers do not get into a child anyway. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, changed;

	sigemptyset(&none);
	sigemptyset(&changed);
	sigaddset(&changed, SIGPIPE);
	sigaddset(&changed, SIGXFSZ);
	sigaddset(&changed, SIGCHLD);
	return posix_spawnattr_setsigmask(attributes, &none) ||
	       posix_spawnattr_setsigdefault(attributes, &changed) ||
	       posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
					POSIX_SPAWN_SETSIGDEF) ? ENOMEM : 0;
}

static int set_files(posix_spawn_file_actions_t *actions, int in, int out)
{
	int ret = 0;

	if (in >= 0)
		ret = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!ret && out >= 0)
		ret = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	return ret;
}

static bool is_of(const char *entry, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;

	return !strncmp(entry, variable, name);
}

/* This process's environment with @variable; only the array belongs to the caller. */
static char **make_environment(const char *variable)
{
	size_t count = 0, made = 0;
	char **all;

	while (environ && environ[count])
		count++;
	all = calloc(count + 2, sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!variable || !is_of(environ[i], variable))
			all[made++] = environ[i];
	all[made] = (char *)variable;
	return all;
}

static int spawn(const char *command, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, const char *variable, pid_t *pid)
{
	char *const words[] = { (char *)"sh", (char *)"-c", (char *)"--", (char *)command, NULL };
	char **environment = make_environment(variable);
	int ret = ENOMEM;

	if (environment)
		ret = posix_spawn(pid, SHELL, actions, attributes, words, environment);
	free(environment);
	return ret;
}

int child_start(const char *command, int in, int out, const char *variable, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ret = posix_spawn_file_actions_init(&actions);

	if (ret)
		return -ret;
	ret = posix_spawnattr_init(&attributes);
	if (!ret) {
		ret = set_files(&actions, in, out);
		if (!ret)
			ret = set_signals(&attributes);
		if (!ret)
			ret = spawn(command, &actions, &attributes, variable, pid);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* Has it ended? Waits until @until, or until @cancel is set. */
static bool has_ended(pid_t pid, u64 until, const struct sendcp_cancel *cancel, int *status)
{
	u64 look = NANOSECONDS / 1000;
	pid_t got;

	while (!(got = waitpid(pid, status, WNOHANG)) || (got < 0 && errno == EINTR)) {
		if (sendcp_cancelled(cancel) || pause_now() >= until)
			return false;
		pause_until(sendcp_min(pause_now() + look, until), cancel);
		look = sendcp_min(2 * look, LOOK_MOST);
	}
	/* It cannot have been waited for by anyone else. */
	if (got < 0)
		*status = 0xff00;
	return true;
}

struct tree {
	pid_t pids[TREE_MAX];
	size_t count;
};

/* Adds the children of @pid, which has one thread, as far as the kernel shows them. */
static void add_children(struct tree *tree, pid_t pid)
{
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (tree->count < TREE_MAX && fscanf(file, "%d", &child) == 1)
		tree->pids[tree->count++] = child;
	fclose(file);
}

/*
 * The shell and all that it waits for, since these might go on without it for ever. The shell comes
 * first, so that it does not run its next command.
 */
static void signal_tree(pid_t pid, int signal_number)
{
	struct tree tree = { .pids = { pid }, .count = 1 };

	for (size_t i = 0; i < tree.count; i++)
		add_children(&tree, tree.pids[i]);
	for (size_t i = 0; i < tree.count; i++)
		kill(tree.pids[i], signal_number);
}

void child_terminate(pid_t pid)
{
	signal_tree(pid, SIGTERM);
}

int child_stop(pid_t pid)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (has_ended(pid, pause_now() + PATIENCE, NULL, &status))
			return status;
		signal_tree(pid, signals[i]);
	}
	has_ended(pid, ~0ULL, NULL, &status);
	return status;
}

int child_wait(pid_t pid, const struct sendcp_cancel *cancel)
{
	int status;

	return has_ended(pid, ~0ULL, cancel, &status) ? status : child_stop(pid);
}

char *child_status_text(int status, char *buffer, size_t size)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (name)
		snprintf(buffer, size, "killed by SIG%s", name);
	else if (WIFSIGNALED(status))
		snprintf(buffer, size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(buffer, size, "exit status %d", WEXITSTATUS(status));
	return buffer;
}

bool child_not_run(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127);
}
