// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal/state.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/hash.h"
#include "util/message.h"

#define ROOT_DIRECTORY "/var/lib/sendcp"
#define SUFFIX ".cp"
/* Of a subvolume's or file's own name in an entry's. */
#define NAME_PART 80
#define KEEP_SECONDS (STATE_KEEP_DAYS * 24L * 60 * 60)

static char *directory_name(void)
{
	const char *named = secure_getenv("SENDCP_STATE_DIR");
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");

	if (named && *named)
		return xstrdup(named);
	if (!geteuid())
		return xstrdup(ROOT_DIRECTORY);
	if (state && *state == '/')
		return xasprintf("%s/sendcp", state);
	if (home && *home == '/')
		return xasprintf("%s/.local/state/sendcp", home);
	return NULL;
}

/* As mkdir -p does. 0, or -1 with errno. */
/* NOLINTNEXTLINE(misc-no-recursion): a path has at most PATH_MAX / 2 parts. */
static int make_directories(const char *path)
{
	char *copy, *parent;
	int ret;

	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -1;
	copy = xstrdup(path);
	parent = dirname(copy);
	ret = strcmp(parent, path) ? make_directories(parent) : -1;
	free(copy);
	return ret || mkdir(path, 0700) ? -1 : 0;
}

/* What is in it names files that root will write. */
static int check_owner(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	if (!S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	else
		errno = EPERM;
	return -1;
}

/* Its real path, malloc'ed; NULL with errno: there is none that can be used. */
static char *open_directory(bool create)
{
	char *path = directory_name(), *whole = NULL;
	int failed;

	if (!path) {
		errno = ENOENT;
		return NULL;
	}
	if ((!create || !make_directories(path)) && !check_owner(path))
		whole = realpath(path, NULL);
	failed = errno;
	free(path);
	if (whole)
		return whole;
	errno = failed;
	return NULL;
}

/* At most NAME_PART characters, without any that a user would have to quote. */
static void plain_name(const char *path, char name[NAME_PART + 1])
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-.,+@";
	char *copy = xstrdup(path);

	snprintf(name, NAME_PART + 1, "%s", basename(copy));
	for (char *c = name; *c; c++)
		if (!strchr(harmless, *c) || (c == name && *c == '.'))
			*c = '_';
	free(copy);
}

static bool is_entry(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(SUFFIX) && name[0] != '.' &&
	       !strcmp(name + length - strlen(SUFFIX), SUFFIX);
}

/* Of the entry or of what it leads to, whichever was later. */
static time_t last_change(const char *path)
{
	time_t changed = 0;
	struct stat st;

	if (!lstat(path, &st))
		changed = st.st_mtime;
	if (!stat(path, &st) && st.st_mtime > changed)
		changed = st.st_mtime;
	return changed;
}

static void remove_if_old(const char *path)
{
	int fd;

	if (time(NULL) - last_change(path) < KEEP_SECONDS)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* One that cannot be opened may be in use, unless it leads nowhere. */
	if (fd < 0 ? errno == ENOENT || errno == ENOTDIR || errno == ELOOP : !journal_locked(fd)) {
		if (!unlink(path))
			verbose_line(1, "%s: not changed for %d days, removed", path,
				     STATE_KEEP_DAYS);
	}
	if (fd >= 0)
		close(fd);
}

/*
 * Made by state_new_path() or state_link(). Other files of the directory, among them checkpoint
 * files that the user named, are not for us to remove.
 */
static bool own_entry(const char *path)
{
	static const char pattern[] = "*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T"
				      "[0-9][0-9][0-9][0-9][0-9][0-9]Z-[0-9]*" SUFFIX;
	struct stat st;

	if (lstat(path, &st))
		return false;
	return S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && !fnmatch(pattern, path, 0));
}

static void remove_old(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		char *path;

		if (!is_entry(entry->d_name))
			continue;
		path = xasprintf("%s/%s", directory, entry->d_name);
		if (own_entry(path))
			remove_if_old(path);
		free(path);
	}
	if (stream)
		closedir(stream);
}

char *state_new_path(const char *name)
{
	char *directory = open_directory(true), *path;
	char plain[NAME_PART + 1], stamp[32];
	time_t now = time(NULL);
	struct tm utc;

	if (!directory) {
		const char *reason = errno == EPERM ? "it belongs to another user, or others may "
				     "write to it" : strerror(errno);

		path = directory_name();
		warn_line("no checkpoint file is kept: %s: %s (--checkpoint FILE names a place, "
			  "--no-checkpoint wants none)", path ? path : "no $HOME", reason);
		free(path);
		return NULL;
	}
	remove_old(directory);
	plain_name(name, plain);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	path = xasprintf("%s/%s-%s-%d%s", directory, plain, stamp, (int)getpid(), SUFFIX);
	free(directory);
	return path;
}

/* The link's name: of one checkpoint file always the same. NULL: it needs none. */
static char *link_name(const char *directory, const char *whole)
{
	char name[NAME_PART + 1], digest[HASH_SIZE + 1];
	size_t length = strlen(directory);
	u8 hash[HASH_SIZE];

	if (!strncmp(whole, directory, length) && whole[length] == '/')
		return NULL;
	hash_of(whole, strlen(whole), hash);
	for (size_t i = 0; i < HASH_SIZE / 2; i++)
		sprintf(digest + 2 * i, "%02x", hash[i]);
	plain_name(whole, name);
	return xasprintf("%s/%s-%s%s", directory, name, digest, SUFFIX);
}

/* 0, or -1 with errno. */
static int put_link(const char *whole, const char *name)
{
	if (!symlink(whole, name))
		return 0;
	if (errno != EEXIST || unlink(name))
		return -1;
	return symlink(whole, name);
}

void state_link(const char *path)
{
	char *directory = open_directory(true);
	char *whole = directory ? absolute_path(path) : NULL;
	char *name = whole ? link_name(directory, whole) : NULL;

	if (!whole || (name && put_link(whole, name)))
		verbose_line(1, "sendcp list will not know of %s: %s", path, strerror(errno));
	free(name);
	free(whole);
	free(directory);
}

void state_unlink(const char *path)
{
	char *directory = open_directory(false);
	char *whole = directory ? absolute_path(path) : NULL;
	char *name = whole ? link_name(directory, whole) : NULL;

	if (name)
		unlink(name);
	free(name);
	free(whole);
	free(directory);
}

struct found {
	char *name;
	char *path;
	time_t changed;
};

struct found_list {
	struct found *entries;
	size_t count;
	size_t capacity;
};

/* What the entry leads to; malloc'ed. */
static char *entry_target(const char *directory, const char *name)
{
	char *path = xasprintf("%s/%s", directory, name);
	char target[4096];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return path;
	free(path);
	target[length] = '\0';
	return xstrdup(target);
}

static int later_first(const void *first, const void *second)
{
	const struct found *a = first, *b = second;

	if (a->changed != b->changed)
		return a->changed < b->changed ? 1 : -1;
	return strcmp(a->path, b->path);
}

static void clear(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].path);
		free(list->entries[i].name);
	}
	free(list->entries);
}

static int collect(const char *directory, struct found_list *list)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	int failed;

	if (!stream)
		return -1;
	while (errno = 0, (entry = readdir(stream))) {
		char *path;

		if (!is_entry(entry->d_name))
			continue;
		path = xasprintf("%s/%s", directory, entry->d_name);
		list->entries = xgrow(list->entries, &list->capacity, list->count + 1,
				      sizeof(*list->entries));
		list->entries[list->count++] = (struct found){
			.name = xstrdup(path),
			.path = entry_target(directory, entry->d_name),
			.changed = last_change(path),
		};
		free(path);
	}
	failed = errno;
	closedir(stream);
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), later_first);
	errno = failed;
	return failed ? -1 : 0;
}

/* Returns whether it is a stream that is not complete. */
static bool show_entry(const struct found *found,
		       void (*function)(void *context, const struct state_entry *entry),
		       void *context)
{
	struct state_entry entry = { .name = found->name, .path = found->path };
	struct journal_contents contents = { 0 };
	int fd = open(found->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool incomplete;
	struct stat st;

	if (fd < 0)
		entry.err = errno;
	else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		entry.err = EINVAL;
	else if (journal_read(fd, found->path, &contents))
		entry.err = EBADMSG;
	else
		entry.contents = &contents;
	entry.running = fd >= 0 && journal_locked(fd);
	if (fd >= 0)
		close(fd);
	incomplete = entry.err || !contents.complete;
	if (incomplete)
		function(context, &entry);
	journal_clear(&contents);
	return incomplete;
}

int state_each(void (*function)(void *context, const struct state_entry *entry), void *context)
{
	char *directory = open_directory(false);
	struct found_list list = { 0 };
	int count = 0;

	if (!directory && errno == ENOENT)
		return 0;
	if (!directory || collect(directory, &list)) {
		char *name = directory_name();

		error_line("cannot read %s: %s", name, strerror(errno));
		free(name);
		free(directory);
		clear(&list);
		return -1;
	}
	for (size_t i = 0; i < list.count; i++)
		count += show_entry(&list.entries[i], function, context);
	clear(&list);
	free(directory);
	return count;
}
