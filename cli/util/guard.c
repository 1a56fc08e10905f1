// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening files to be written where others may have put something under their name.
 *
 * Each name is looked at in its directory, which is open, and opened there without following a
 * link: so what was looked at is what is opened, or the call fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/guard.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40u

struct place {
	enum guard_links links;
	/* The directory, open, and the name in it. */
	int directory;
	struct stat owner;
	char *name;
	/* A link has led here. */
	bool linked;
};

/* The target of the link at @place, from the directory of @path; malloc'ed, NULL with errno. */
static char *follow(const struct place *place, const char *path)
{
	char target[PATH_MAX], *copy, *whole;
	ssize_t length = readlinkat(place->directory, place->name, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	if (target[0] == '/')
		return xstrdup(target);
	copy = xstrdup(path);
	whole = xasprintf("%s/%s", dirname(copy), target);
	free(copy);
	return whole;
}

/* Why what @st describes is not to be opened; NULL: it may be. */
static const char *refusal(const struct place *place, const struct stat *st)
{
	const bool shared = place->owner.st_mode & S_ISVTX && place->owner.st_mode & S_IWOTH;
	const bool link = S_ISLNK(st->st_mode);

	if (st->st_uid == geteuid() || (!shared && !link))
		return NULL;
	if (shared && st->st_uid != place->owner.st_uid)
		return link ? "it is a symbolic link of another user" :
		       "it belongs to another user, in a directory that everyone may write to";
	if (place->links == GUARD_JOURNAL && link && st->st_uid)
		return "it is a symbolic link of another user";
	return NULL;
}

/* -1 with errno 0: *@why is set. */
static int refuse(const char *reason, const char **why)
{
	*why = reason;
	errno = 0;
	return -1;
}

/* Taken apart, it would become a file's name. */
static bool names_directory(const char *path)
{
	size_t length = strlen(path);

	return !length || path[length - 1] == '/';
}

static int open_directory(struct place *place, const char *path)
{
	char *copy;

	if (names_directory(path)) {
		errno = *path ? EISDIR : ENOENT;
		return -1;
	}
	copy = xstrdup(path);
	place->directory = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (place->directory < 0)
		return -1;
	copy = xstrdup(path);
	place->name = xstrdup(basename(copy));
	free(copy);
	return fstat(place->directory, &place->owner);
}

/* The links of /proc lead to open files, and not to the names that they show. */
static bool is_magic(const struct place *place)
{
	struct statfs fs;

	return !fstatfs(place->directory, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_last(const struct place *place, int flags, const char **why)
{
	const char *reason = NULL;
	struct stat st;
	int fd;

	if (place->linked && place->links == GUARD_JOURNAL)
		flags &= ~O_CREAT;
	fd = openat(place->directory, place->name, flags | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT && place->linked && place->links == GUARD_JOURNAL)
		return refuse("it is a symbolic link to a file that is not there", why);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st))
		reason = refusal(place, &st);
	if (!reason)
		return fd;
	close(fd);
	return refuse(reason, why);
}

/* One name. *@next, malloc'ed: it is a link, and leads there. */
static int open_place(struct place *place, const char *path, int flags, char **next,
		      const char **why)
{
	const char *reason;
	struct stat st;

	*next = NULL;
	if (open_directory(place, path))
		return -1;
	if (is_magic(place))
		return openat(place->directory, place->name, flags, 0600);
	if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? open_last(place, flags, why) : -1;
	reason = refusal(place, &st);
	if (reason)
		return refuse(reason, why);
	if (!S_ISLNK(st.st_mode))
		return open_last(place, flags, why);
	*next = follow(place, path);
	return -1;
}

static void leave(struct place *place)
{
	int failed = errno;

	if (place->directory >= 0)
		close(place->directory);
	free(place->name);
	place->directory = -1;
	place->name = NULL;
	errno = failed;
}

int guard_open(const char *path, int flags, enum guard_links links, char **real, const char **why)
{
	struct place place = { .links = links, .directory = -1 };
	char *next;
	int fd = -1;

	*real = NULL;
	*why = NULL;
	for (unsigned int count = 0; count <= LINKS_MAX; count++) {
		fd = open_place(&place, *real ? *real : path, flags, &next, why);
		leave(&place);
		if (!next)
			return fd;
		free(*real);
		*real = next;
		place.linked = true;
	}
	errno = ELOOP;
	return -1;
}
