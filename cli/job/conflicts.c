// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that must not be one and the same under different names: those that are read and those that
 * are written.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/storage.h"
#include "job/conflicts.h"
#include "util/alloc.h"
#include "util/message.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40u
#define STDOUT_PATH "/proc/self/fd/1"

struct file_use {
	/* "the output" and so on, and what the user calls it. */
	const char *role;
	const char *name;
	bool written;
	struct storage storage;
	/* Not there yet: the directory and the name in it. NULL otherwise. */
	char *missing;
	struct stat directory;
};

struct file_uses {
	struct file_use *uses;
	size_t count;
	size_t capacity;
};

static struct file_use *add_use(struct file_uses *uses, const char *role, const char *name,
				bool written)
{
	uses->uses = xgrow(uses->uses, &uses->capacity, uses->count + 1, sizeof(*uses->uses));
	uses->uses[uses->count] = (struct file_use){
		.role = role,
		.name = name,
		.written = written,
	};
	return &uses->uses[uses->count++];
}

static void clear_uses(struct file_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		free(uses->uses[i].missing);
	free(uses->uses);
}

static int cannot_look(const struct file_use *use, int err)
{
	return error_line("cannot stat %s %s: %s", use->role, use->name, strerror(err));
}

/* Replaces *@path, a symbolic link, by what it names. False: it is none. */
static bool follow_link(char **path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(*path, target, sizeof(target) - 1);
	char *directory, *next;

	if (length < 0)
		return false;
	target[length] = '\0';
	directory = xstrdup(*path);
	next = target[0] == '/' ? xstrdup(target) :
	       xasprintf("%s/%s", dirname(directory), target);
	free(directory);
	free(*path);
	*path = next;
	return true;
}

/* Names that lead to one that is not there yet are the same if the directories are. */
static void adopt_missing(struct file_use *use)
{
	char *path = xstrdup(use->name), *directory;
	unsigned int links = 0;

	while (links < LINKS_MAX && follow_link(&path))
		links++;
	directory = xstrdup(path);
	if (!stat(dirname(directory), &use->directory))
		use->missing = xstrdup(basename(path));
	free(directory);
	free(path);
}

/* Permissions that keep it from being looked at keep it from being written: opening it says so. */
static int add_path(struct file_uses *uses, const char *role, const char *path)
{
	struct file_use *use = add_use(uses, role, path, true);
	struct stat st;
	int ret;

	if (stat(path, &st)) {
		if (errno != ENOENT)
			return errno == EACCES || errno == ENOTDIR || errno == ELOOP ? 0 :
			       cannot_look(use, errno);
		adopt_missing(use);
		return 0;
	}
	ret = sendcp_storage_of_stat(&st, &use->storage);
	return ret ? cannot_look(use, -ret) : 0;
}

static int add_stdout(struct file_uses *uses)
{
	struct file_use *use = add_use(uses, "standard output", "", true);
	int ret = sendcp_storage_of_fd(STDOUT_FILENO, &use->storage);

	return ret ? cannot_look(use, -ret) : 0;
}

static int add_devices(struct file_uses *uses, const struct sendcp_source *source)
{
	const bool image = !strcmp(sendcp_source_kind(source), "image");

	for (unsigned int i = 0; i < sendcp_source_device_count(source); i++) {
		struct file_use *use = add_use(uses, image ? "the device that is read," :
					       "a device of the filesystem that is read,",
					       sendcp_source_device_path(source, i), false);
		int ret = sendcp_storage_of_fd(sendcp_source_device_fd(source, i), &use->storage);

		if (ret)
			return cannot_look(use, -ret);
	}
	return 0;
}

/* Thinning writes the journal anew beside itself, and removes what has that name. */
static int add_journal(struct file_uses *uses, const char *path, char **temporary)
{
	*temporary = xasprintf("%s.thin", path);
	return add_path(uses, "the checkpoint file", path) ||
	       add_path(uses, "the checkpoint file's temporary file", *temporary) ? -1 : 0;
}

static enum storage_relation relate(const struct file_use *first, const struct file_use *second)
{
	if (!first->missing || !second->missing)
		return sendcp_storage_relate(&first->storage, &second->storage);
	return first->directory.st_dev == second->directory.st_dev &&
	       first->directory.st_ino == second->directory.st_ino &&
	       !strcmp(first->missing, second->missing) ? STORAGE_SAME : STORAGE_APART;
}

static int check_pair(const struct file_use *written, const struct file_use *other)
{
	static const char *const verbs[] = {
		[STORAGE_SAME] = "is",
		[STORAGE_LIES_ON] = "is on",
		[STORAGE_HOLDS] = "holds",
	};
	enum storage_relation relation = relate(written, other);

	if (relation == STORAGE_APART)
		return 0;
	return error_line("%s%s%s %s %s%s%s: nothing was written, name another file", written->role,
			  written->name[0] ? " " : "", written->name, verbs[relation], other->role,
			  other->name[0] ? " " : "", other->name);
}

/* The later one of two that are written is named first: it would be written over the other. */
static int check_pairs(const struct file_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct file_use *one = &uses->uses[i], *other = &uses->uses[k];

			if (one->written && check_pair(one, other))
				return -1;
		}
	return 0;
}

/* Mounted, swap, or a part of something else: the kernel lets nobody have it alone. */
static int check_idle(const struct file_use *use, const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return error_line("%s%s%s is a block device that is in use (mounted?): nothing was "
				  "written to it", use->role, use->name[0] ? " " : "", use->name);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* The btrfs subvolume that @directory is in: its filesystem and its id. */
static bool subvolume_of(const char *directory, u8 fsid[BTRFS_FSID_SIZE], u64 *id)
{
	struct btrfs_ioctl_ino_lookup_args lookup = { .objectid = BTRFS_FIRST_FREE_OBJECTID };
	struct btrfs_ioctl_fs_info_args info = { 0 };
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && !ioctl(fd, BTRFS_IOC_FS_INFO, &info) &&
		  !ioctl(fd, BTRFS_IOC_INO_LOOKUP, &lookup);

	if (fd >= 0)
		close(fd);
	memcpy(fsid, info.fsid, BTRFS_FSID_SIZE);
	*id = lookup.treeid;
	return ok;
}

static void warn_inside(const struct send_job *job, const char *role, const char *path)
{
	char *copy = xstrdup(path);
	u8 fsid[BTRFS_FSID_SIZE];
	u64 id;

	if (subvolume_of(dirname(copy), fsid, &id) &&
	    !memcmp(fsid, sendcp_source_fsid(job->source), sizeof(fsid))) {
		for (size_t i = 0; i < job->count; i++)
			if (job->subvolumes[i].id == id)
				warn_line("%s %s is in %s, which is being sent and so changes",
					  role, path, job->subvolumes[i].spec);
	}
	free(copy);
}

static void warn_of_places(const struct send_job *job, const char *output, const char *journal)
{
	if (job && output)
		warn_inside(job, "the output", output);
	if (job && journal)
		warn_inside(job, "the checkpoint file", journal);
}

/* The output (NULL: standard output), and the journal, if there is one, with what belongs to it. */
static int add_written(struct file_uses *uses, const char *output, const char *journal,
		       char **temporary)
{
	int ret = output ? add_path(uses, "the output", output) : add_stdout(uses);

	return !ret && journal ? add_journal(uses, journal, temporary) : ret;
}

int conflicts_files(const char *output, const char *journal)
{
	struct file_uses uses = { 0 };
	char *temporary = NULL;
	int ret = add_written(&uses, output, journal, &temporary);

	if (!ret)
		ret = check_pairs(&uses);
	clear_uses(&uses);
	free(temporary);
	return ret;
}

int conflicts_check(const struct send_job *job, const char *output, const char *journal)
{
	struct file_uses uses = { 0 };
	char *temporary = NULL;
	int ret = 0;

	if (job)
		ret = add_devices(&uses, job->source);
	if (!ret)
		ret = add_written(&uses, output, journal, &temporary);
	if (!ret)
		ret = check_pairs(&uses);
	/* The output follows the devices. */
	if (!ret)
		ret = check_idle(&uses.uses[job ? sendcp_source_device_count(job->source) : 0],
				 output ? output : STDOUT_PATH);
	if (!ret)
		warn_of_places(job, output, journal);
	clear_uses(&uses);
	free(temporary);
	return ret;
}

int conflicts_send(const struct send_job *job, const struct options *options)
{
	char *beside = options->output ? xasprintf("%s.cp", options->output) : NULL;
	int ret = conflicts_check(job, options->output,
				  options->checkpoint ? options->checkpoint : beside);

	free(beside);
	return ret;
}

int conflicts_resume(const struct send_job *job, const struct options *options,
		     const char *output)
{
	char *beside = options->append ? xasprintf("%s.cp", options->append) : NULL;
	int ret = conflicts_check(job, output,
				  options->checkpoint ? options->checkpoint : beside);

	free(beside);
	return ret;
}

int conflicts_copy(const char *input)
{
	const bool named = strcmp(input, "-");
	struct file_uses uses = { 0 };
	struct file_use *use = add_use(&uses, "the stream that is read,",
				       named ? input : "standard input", false);
	struct stat st;
	int ret = 0;

	/* One that cannot be looked at cannot be read either. */
	if (!(named ? stat(input, &st) : fstat(STDIN_FILENO, &st)))
		ret = sendcp_storage_of_stat(&st, &use->storage);
	ret = ret ? cannot_look(use, -ret) : add_stdout(&uses);
	if (!ret)
		ret = check_pairs(&uses);
	clear_uses(&uses);
	return ret;
}
