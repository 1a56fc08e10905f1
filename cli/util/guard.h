/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening files to be written where others may have put something under their name.
 *
 * In a directory that everyone may write to and that is sticky, as /tmp, anybody can make a link,
 * a file or a FIFO of a name that a program will use. There, what belongs neither to the caller nor
 * to the directory's owner is not opened, whatever the sysctls fs.protected_* say.
 */
#ifndef CLI_UTIL_GUARD_H
#define CLI_UTIL_GUARD_H

enum guard_links {
	/* An output: a link of the user's own may lead to what is not there yet. */
	GUARD_OUTPUT,
	/*
	 * A checkpoint file, whose name sendcp chooses: links of others lead nowhere in any
	 * directory, and nothing is created through a link.
	 */
	GUARD_JOURNAL,
};

/*
 * open(2) with mode 0600. -1: *@why says it, or is NULL, and errno does. *@real, malloc'ed: the
 * name that is no link; NULL: @path is none.
 */
int guard_open(const char *path, int flags, enum guard_links links, char **real, const char **why);

#endif
