/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a named subvolume is for, in messages: the user has to know which one is meant, and what to
 * do differs.
 */
#ifndef CLI_JOB_ROLE_H
#define CLI_JOB_ROLE_H

enum role {
	ROLE_SNAPSHOT,
	ROLE_PARENT,
	ROLE_CLONE_SOURCE,
};

/* "snapshot", "parent", "clone source". */
const char *role_text(enum role role);
/* When it is not what it was: how a new send does without it. */
const char *role_new_send(enum role role);

/* An error line with the way to a read-only one. Returns -1. */
int role_not_readonly(enum role role, const char *path);
/* An error line and -1 if @path is an image or device of a btrfs, which is not sent by its name. */
int role_check_image(enum role role, const char *path);

#endif
