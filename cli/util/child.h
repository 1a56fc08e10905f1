/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the user's, run by a shell as a child of this process.
 *
 * A child is in this process's group, as the parts of a pipeline are: the terminal's signals reach
 * it, too. It has the signal handling that this process was started with, and no files of it.
 */
#ifndef CLI_UTIL_CHILD_H
#define CLI_UTIL_CHILD_H

#include <stddef.h>
#include <sys/types.h>
#include <sendcp/cancel.h>

/*
 * Starts `/bin/sh -c @command` with @in and @out as standard input and output (-1: this process's)
 * and with @variable ("NAME=VALUE", NULL: none) in its environment. Negative errno.
 */
int child_start(const char *command, int in, int out, const char *variable, pid_t *pid);

/*
 * Waits for the end of @pid and returns its status, as of wait(2). As soon as @cancel (may be NULL)
 * is set, it waits as child_stop() does.
 */
int child_wait(pid_t pid, const struct sendcp_cancel *cancel);
/* The same for one that is to end: after some seconds it gets SIGTERM, then SIGKILL. */
int child_stop(pid_t pid);

/* SIGTERM to it and its children: nothing that it could still do is of use. */
void child_terminate(pid_t pid);

/* "exit status 255", "killed by SIGTERM" into @buffer; returns @buffer. */
char *child_status_text(int status, char *buffer, size_t size);
/* The shell could not run the command: it would not do better later. */
bool child_not_run(int status);

#endif
