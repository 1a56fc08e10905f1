// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guards files that a new send would overwrite.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sendcp/stream.h>

#include "container/unwrap.h"
#include "job/resume_command.h"
#include "resume/overwrite.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/summary.h"

/* The resume line comes last, as after an interruption. Takes @command over. */
static int refuse(char *command)
{
	error_line("to discard it and start over, add --restart");
	if (command)
		error_line("interrupted; resume with: %s", command);
	summary_resume(command);
	free(command);
	return -1;
}

int overwrite_journal(const char *path, const struct journal_contents *old)
{
	if (!old->count || old->complete)
		return 0;
	error_line("%s: the send of %s was interrupted after %llu bytes and can be resumed: not "
		   "starting over", path, old->header.subvolumes.identities[0].spec,
		   journal_made(old));
	return refuse(old->output ? resume_command(path, NULL) :
				    resume_command_append(path, NULL, NULL));
}

/* Its last command is END. */
static bool ends_complete(int fd, u64 size)
{
	struct sendcp_command_header end, made = { .command = cpu_to_le16(SENDCP_C_END) };

	if (size < SENDCP_STREAM_HEADER_SIZE + sizeof(end) ||
	    read_at(fd, &end, sizeof(end), size - sizeof(end)))
		return false;
	made.crc = cpu_to_le32(sendcp_crc32c(0, &made, sizeof(made)));
	return !memcmp(&end, &made, sizeof(end));
}

/* Could resume --append make something of it? */
static bool looks_resumable(const u8 *head, size_t size, bool *plain)
{
	size_t length = size < SENDCP_STREAM_MAGIC_SIZE ? size : SENDCP_STREAM_MAGIC_SIZE;

	*plain = !memcmp(head, SENDCP_STREAM_MAGIC, length);
	return *plain || unwrap_zstd_begun(head, size);
}

bool overwrite_is_stream(const char *path, bool *complete)
{
	u8 head[SENDCP_STREAM_MAGIC_SIZE];
	bool plain = false;
	struct stat st;
	int fd;

	*complete = false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_size >= (off_t)sizeof(head) &&
	    !read_at(fd, head, sizeof(head), 0))
		plain = !memcmp(head, SENDCP_STREAM_MAGIC, sizeof(head));
	*complete = plain && ends_complete(fd, (u64)st.st_size);
	close(fd);
	return plain;
}

int overwrite_output(const struct output *output, const struct options *options,
		     const char *checkpoint)
{
	u8 head[SENDCP_STREAM_MAGIC_SIZE] = { 0 };
	struct stat st;
	bool plain, known;
	size_t size;

	if (!output->file)
		return 0;
	if (fstat(output->fd, &st))
		return error_line("cannot stat %s: %s", output->name, strerror(errno));
	if (!st.st_size)
		return 0;
	size = (size_t)sendcp_min((u64)st.st_size, sizeof(head));
	if (read_at(output->fd, head, size, 0))
		return error_line("cannot read %s: %s", output->name, strerror(errno));
	known = looks_resumable(head, size, &plain);
	if (plain && ends_complete(output->fd, (u64)st.st_size))
		return 0;
	error_line("%s exists, has %llu bytes and is not known to be a complete stream: not "
		   "overwriting it", output->name, (u64)st.st_size);
	if (checkpoint)
		return refuse(resume_command(checkpoint, NULL));
	return refuse(known ? resume_command_alone(options, output->name) : NULL);
}
