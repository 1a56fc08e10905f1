// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams, archives and files of other programs, named where a checkpoint file should be.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sendcp/stream.h>

#include "commands/show_kind.h"
#include "container/foreign.h"
#include "container/unwrap.h"
#include "journal/format.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/text.h"

/* With the file's name in the place of "%s". */
static const char *manifest_command(enum unwrap_kind kind)
{
	switch (kind) {
	case UNWRAP_TAR:
		return "tar -xOf %s manifest.json";
	case UNWRAP_ZSTD_TAR:
		return "zstd -dc %s | tar -xOf - manifest.json";
	case UNWRAP_CPIO:
		return "cat %s | cpio -i --quiet --to-stdout manifest.json";
	default:
		return "zstd -dc %s | cpio -i --quiet --to-stdout manifest.json";
	}
}

static int is_archive(const char *path, enum unwrap_kind kind)
{
	const char *command = manifest_command(kind);
	const char *place = strstr(command, "%s");
	char *name = shell_quote(path);

	error_line("%s is an archive of a stream (%s), not a checkpoint file. What is in it: "
		   "%.*s%s%s; is it complete: sendcp verify %s", path, unwrap_kind_text(kind),
		   (int)(place - command), command, name, place + 2, name);
	free(name);
	return -1;
}

static int is_stream(const char *path, enum unwrap_kind kind)
{
	char *name = shell_quote(path);

	error_line("%s is a send stream (%s), not a checkpoint file. What is in it: sendcp dump "
		   "%s; is it complete: sendcp verify %s", path, unwrap_kind_text(kind), name,
		   name);
	free(name);
	return -1;
}

static int check_stream(const char *path, int fd)
{
	struct unwrap *unwrap = unwrap_open_fd(fd);
	u8 head[FOREIGN_HEAD];
	size_t got = unwrap_read(unwrap, head, sizeof(head));
	enum unwrap_kind kind = unwrap_kind(unwrap);
	int ret = 0;

	if (kind != UNWRAP_PLAIN && kind != UNWRAP_ZSTD)
		ret = is_archive(path, kind);
	else if (got >= SENDCP_STREAM_MAGIC_SIZE &&
		 !memcmp(head, SENDCP_STREAM_MAGIC, SENDCP_STREAM_MAGIC_SIZE))
		ret = is_stream(path, kind);
	unwrap_close(unwrap);
	return ret;
}

static int check_open(const char *path, int fd)
{
	const struct foreign *foreign;
	char head[FOREIGN_HEAD];
	ssize_t got = read_up_to(fd, head, sizeof(head), 0);

	if (got <= 0 || journal_recognise(head, (size_t)got))
		return 0;
	foreign = foreign_find((const u8 *)head, (size_t)got);
	if (foreign)
		return error_line("%s is %s, and not a checkpoint file", path, foreign->how);
	return check_stream(path, fd);
}

int show_kind_check(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		ret = check_open(path, fd);
	close(fd);
	return ret;
}
