// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioctltest: the tests of /dev/sendcp that need more than a shell. TAP on standard output.
 */
#include <stdio.h>
#include <string.h>

#include "subjects.h"

static const struct {
	const char *name;
	const char *usage;
	int least;
	int (*run)(int argc, char **argv);
} subjects[] = {
	{ "case", "WAY[,WAY]... LENGTH DIGEST [SEND-OPTIONS] SUBVOLUME...", 4, test_case },
	{ "split", "[SEND-OPTIONS] SUBVOLUME", 1, test_split },
	{ "signals", "LENGTH DIGEST [SEND-OPTIONS] SUBVOLUME", 3, test_signals },
	{ "kill", "SUBVOLUME DIRECTORY", 2, test_kill },
	{ "arguments", "SNAPSHOT PARENT WRITABLE OTHER-SNAPSHOT", 4, test_arguments },
	{ "memory", "LENGTH DIGEST SNAPSHOT DIRECTORY", 4, test_memory },
	{ "checkpoints", "PARENT SNAPSHOT", 2, test_checkpoints },
	{ "outputs", "LENGTH DIGEST DIRECTORY [SEND-OPTIONS] SUBVOLUME", 4, test_outputs },
	{ "room", "LENGTH DIGEST [SEND-OPTIONS] SUBVOLUME", 3, test_room },
	{ "sharing", "LENGTH DIGEST [SEND-OPTIONS] SUBVOLUME", 3, test_sharing },
	{ "unmount", "DEVICE SNAPSHOT", 2, test_unmount },
	{ "devices", "LENGTH DIGEST SNAPSHOT", 3, test_devices },
	{ "changed", "SNAPSHOT", 1, test_changed },
	{ "privilege", "SNAPSHOT", 1, test_privilege },
	{ "faults", "[SEND-OPTIONS] SUBVOLUME", 1, test_faults },
	/* Not tests: streams to standard output; a process that keeps the device open. */
	{ "stream", "[SEND-OPTIONS] SUBVOLUME", 1, do_stream },
	{ "pieces", "[SEND-OPTIONS] SUBVOLUME (in a storm of signals)", 1, do_pieces },
	{ "hold", "SNAPSHOT SECONDS", 2, do_hold },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; argc > 1 && i < sizeof(subjects) / sizeof(*subjects); i++)
		if (!strcmp(argv[1], subjects[i].name) && argc - 2 >= subjects[i].least)
			return subjects[i].run(argc - 2, argv + 2);
	for (i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		fprintf(stderr, "usage: ioctltest %s %s\n", subjects[i].name, subjects[i].usage);
	return 2;
}
