// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a named subvolume is for, in messages.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sendcp/ondisk.h>

#include "job/role.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/text.h"

const char *role_text(enum role role)
{
	static const char *const texts[] = {
		[ROLE_SNAPSHOT] = "snapshot",
		[ROLE_PARENT] = "parent",
		[ROLE_CLONE_SOURCE] = "clone source",
	};

	return texts[role];
}

const char *role_new_send(enum role role)
{
	static const char *const texts[] = {
		[ROLE_SNAPSHOT] = "start a new send of another snapshot",
		[ROLE_PARENT] = "start a new send, full or with another parent",
		[ROLE_CLONE_SOURCE] = "start a new send without this clone source",
	};

	return texts[role];
}

int role_not_readonly(enum role role, const char *path)
{
	char *name = shell_quote(path);

	if (role == ROLE_SNAPSHOT)
		error_line("snapshot %s is not read-only: make a snapshot of it, and send that: "
			   "btrfs subvolume snapshot -r %s NEW; or: btrfs property set -ts %s ro "
			   "true", path, name, name);
	else
		error_line("%s %s is not read-only: name the snapshot that the receiver has, or, "
			   "if nothing was changed in this one: btrfs property set -ts %s ro true",
			   role_text(role), path, name);
	free(name);
	return -1;
}

static bool has_superblock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	__le64 magic = 0;
	struct stat st;
	bool found;

	if (fd < 0)
		return false;
	found = !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
		!read_at(fd, &magic, sizeof(magic), SENDCP_SUPER_OFFSET_0 +
			 offsetof(struct sendcp_disk_super, magic)) &&
		le64_to_cpu(magic) == SENDCP_SUPER_MAGIC;
	close(fd);
	return found;
}

int role_check_image(enum role role, const char *path)
{
	char *name;

	if (!has_superblock(path))
		return 0;
	name = shell_quote(path);
	error_line("%s: %s is an image or device of a btrfs filesystem: give --device %s, and "
		   "SUBVOL as a path in it", role_text(role), path, name);
	free(name);
	return -1;
}
