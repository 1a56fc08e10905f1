// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * treecmp: is a received subvolume the same as its source?
 *
 * Compares names, types, modes, owners, sizes, device numbers, access and modification times, link
 * targets, contents, extended attributes (ACLs and capabilities among them) and which names are
 * links of one file. Nested subvolumes of the source are expected to be absent, as send leaves them
 * out. Exit status: 0 the same, 1 different, 2 failed or nothing compared.
 *
 * --any-root-times: every new inode is first made in the receiver's root directory, whose times a
 * stream of more than 64 directories sets too early; native's no less.
 */
#include "inodemap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SAME = 0, DIFFERENT = 1, FAILED = 2 };

#define CHUNK (1 << 20)
#define XATTRS_MAX 65536
/* Directory entries of a nested subvolume have one of these inode numbers. */
#define INO_SUBVOL_STUB 2
#define INO_SUBVOL_ROOT 256
#define REPORTS_MAX 20

struct tree {
	const char *name;
	int fd;
	struct inodemap to_other;
};

static struct tree source, copy;
static unsigned long compared, differences;
static bool any_root_times;

/* Directories still to be looked at; paths relative to the roots, "." first. */
static char **todo;
static size_t todo_count, todo_size;

static void *must(void *p)
{
	if (!p) {
		perror("treecmp");
		exit(FAILED);
	}
	return p;
}

static void differ(const char *path, const char *what)
{
	if (++differences <= REPORTS_MAX)
		printf("different: %s: %s\n", path, what);
}

static int give_up(const struct tree *tree, const char *path)
{
	fprintf(stderr, "treecmp: %s: %s: %s\n", tree->name, path, strerror(errno));
	exit(FAILED);
}

static void push(char *path)
{
	if (todo_count == todo_size) {
		todo_size = todo_size ? todo_size * 2 : 64;
		todo = must(realloc(todo, todo_size * sizeof(*todo)));
	}
	todo[todo_count++] = path;
}

static int open_in(const struct tree *tree, const char *path, int flags)
{
	int fd = openat(tree->fd, path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);

	if (fd < 0)
		give_up(tree, path);
	return fd;
}

static void stat_in(const struct tree *tree, const char *path, struct stat *st)
{
	if (fstatat(tree->fd, path, st, AT_SYMLINK_NOFOLLOW))
		give_up(tree, path);
}

static size_t read_full(const struct tree *tree, const char *path, int fd, char *buffer)
{
	size_t done = 0;

	while (done < CHUNK) {
		ssize_t n = read(fd, buffer + done, CHUNK - done);

		if (n < 0)
			give_up(tree, path);
		if (!n)
			break;
		done += n;
	}
	return done;
}

/*
 * Moves both files over what is a hole in both, so that sparse terabytes cost nothing. Returns
 * false when both end with that hole.
 */
static bool skip_holes(int a, int b)
{
	off_t here = lseek(a, 0, SEEK_CUR);
	off_t data_a = lseek(a, here, SEEK_DATA);
	off_t data_b = lseek(b, here, SEEK_DATA);
	off_t to = data_a < 0 || (data_b >= 0 && data_b < data_a) ? data_b : data_a;

	if (to < 0)
		return false;
	lseek(a, to, SEEK_SET);
	lseek(b, to, SEEK_SET);
	return true;
}

static void compare_contents(const char *path)
{
	static char *buffers;
	int a = open_in(&source, path, O_RDONLY);
	int b = open_in(&copy, path, O_RDONLY);
	size_t n;

	if (!buffers)
		buffers = must(malloc(2 * CHUNK));
	while (skip_holes(a, b)) {
		n = read_full(&source, path, a, buffers);
		if (read_full(&copy, path, b, buffers + CHUNK) != n ||
		    memcmp(buffers, buffers + CHUNK, n)) {
			differ(path, "contents");
			break;
		}
	}
	close(a);
	close(b);
}

static void compare_links(const char *path)
{
	char a[4097] = "", b[4097] = "";

	if (readlinkat(source.fd, path, a, sizeof(a) - 1) < 0)
		give_up(&source, path);
	if (readlinkat(copy.fd, path, b, sizeof(b) - 1) < 0)
		give_up(&copy, path);
	if (strcmp(a, b))
		differ(path, "link target");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The xattr calls take paths from the working directory, so that symlinks and devices, which cannot
 * be opened, are reached too.
 */
static size_t list_xattrs(const struct tree *tree, const char *path, char *buffer, char **names)
{
	size_t count = 0;
	ssize_t size;

	if (fchdir(tree->fd))
		give_up(tree, path);
	size = llistxattr(path, buffer, XATTRS_MAX);
	if (size < 0)
		give_up(tree, path);
	for (char *p = buffer; p < buffer + size; p += strlen(p) + 1)
		names[count++] = p;
	qsort(names, count, sizeof(*names), by_text);
	return count;
}

static ssize_t get_xattr(const struct tree *tree, const char *path, const char *name, char *value)
{
	ssize_t size;

	if (fchdir(tree->fd))
		give_up(tree, path);
	size = lgetxattr(path, name, value, XATTRS_MAX);
	if (size < 0)
		give_up(tree, path);
	return size;
}

static bool same_value(const char *path, const char *name)
{
	static char a[XATTRS_MAX], b[XATTRS_MAX];
	ssize_t size = get_xattr(&source, path, name, a);

	return get_xattr(&copy, path, name, b) == size && !memcmp(a, b, size);
}

static void compare_xattrs(const char *path)
{
	static char list_a[XATTRS_MAX], list_b[XATTRS_MAX];
	static char *a[XATTRS_MAX / 2], *b[XATTRS_MAX / 2];
	size_t count = list_xattrs(&source, path, list_a, a);

	if (list_xattrs(&copy, path, list_b, b) != count) {
		differ(path, "number of extended attributes");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i], b[i]) || !same_value(path, a[i])) {
			differ(path, "extended attributes");
			return;
		}
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void compare_stat(const char *path, const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode)
		differ(path, "mode");
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		differ(path, "owner");
	if (!S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink)
		differ(path, "number of links");
	if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size)
		differ(path, "size");
	if (a->st_rdev != b->st_rdev)
		differ(path, "device number");
	if (any_root_times && !strcmp(path, "."))
		return;
	if (!same_time(&a->st_mtim, &b->st_mtim))
		differ(path, "modification time");
	if (!same_time(&a->st_atim, &b->st_atim))
		differ(path, "access time");
}

/* Whether this inode was not compared before under another name. */
static bool first_name(const char *path, const struct stat *a, const struct stat *b)
{
	uint64_t there = inodemap_get_or_set(&source.to_other, a->st_ino, b->st_ino);
	uint64_t back = inodemap_get_or_set(&copy.to_other, b->st_ino, a->st_ino);

	if (!there && !back)
		return true;
	if (there != b->st_ino || back != a->st_ino)
		differ(path, "is a link of another file");
	return false;
}

static void compare_inode(char *path)
{
	struct stat a, b;

	compared++;
	stat_in(&source, path, &a);
	stat_in(&copy, path, &b);
	if (!first_name(path, &a, &b))
		return;
	compare_stat(path, &a, &b);
	compare_xattrs(path);
	if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT))
		return;
	if (S_ISREG(a.st_mode) && a.st_size == b.st_size)
		compare_contents(path);
	else if (S_ISLNK(a.st_mode))
		compare_links(path);
	else if (S_ISDIR(a.st_mode))
		push(must(strdup(path)));
}

static char *join(const char *dir, const char *name)
{
	char *path;

	if (!strcmp(dir, "."))
		return must(strdup(name));
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		must(NULL);
	return path;
}

static bool is_nested(const struct tree *tree, const char *path)
{
	struct stat st;

	stat_in(tree, path, &st);
	return S_ISDIR(st.st_mode) &&
	       (st.st_ino == INO_SUBVOL_STUB || st.st_ino == INO_SUBVOL_ROOT);
}

/* Paths of the entries of @path in @tree, sorted, nested subvolumes left out. */
static char **list_dir(const struct tree *tree, const char *path, size_t *count)
{
	DIR *dir = fdopendir(open_in(tree, path, O_RDONLY | O_DIRECTORY));
	char **paths = NULL;
	struct dirent *entry;
	size_t size = 0;

	*count = 0;
	must(dir);
	while ((entry = readdir(dir))) {
		char *full;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		full = join(path, entry->d_name);
		if (is_nested(tree, full)) {
			free(full);
			continue;
		}
		if (*count == size) {
			size = size ? size * 2 : 16;
			paths = must(realloc(paths, size * sizeof(*paths)));
		}
		paths[(*count)++] = full;
	}
	closedir(dir);
	if (paths)
		qsort(paths, *count, sizeof(*paths), by_text);
	return paths;
}

static void free_list(char **paths, size_t count)
{
	while (count)
		free(paths[--count]);
	free(paths);
}

static void compare_dir(const char *path)
{
	size_t na, nb, i = 0, j = 0;
	char **a = list_dir(&source, path, &na);
	char **b = list_dir(&copy, path, &nb);

	while (i < na || j < nb) {
		int order = i == na ? 1 : j == nb ? -1 : strcmp(a[i], b[j]);

		if (!order)
			compare_inode(a[i]);
		else if (order < 0)
			differ(a[i], "is only in the source");
		else
			differ(b[j], "is only in the copy");
		i += order <= 0;
		j += order >= 0;
	}
	free_list(a, na);
	free_list(b, nb);
}

static void open_tree(struct tree *tree, const char *name)
{
	tree->name = name;
	tree->fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0)
		give_up(tree, name);
}

int main(int argc, char **argv)
{
	char root[] = ".";

	if (argc == 4 && !strcmp(argv[1], "--any-root-times")) {
		any_root_times = true;
		argv++;
		argc--;
	}
	if (argc != 3) {
		fputs("usage: treecmp [--any-root-times] SOURCE COPY\n", stderr);
		return FAILED;
	}
	open_tree(&source, argv[1]);
	open_tree(&copy, argv[2]);
	compare_inode(root);
	while (todo_count) {
		char *path = todo[--todo_count];

		compare_dir(path);
		free(path);
	}
	free(todo);
	inodemap_free(&source.to_other);
	inodemap_free(&copy.to_other);
	if (differences)
		return DIFFERENT;
	printf("same: %lu entries\n", compared);
	return SAME;
}
