/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remedy of a failure: is another try later worth it, and who has to act before?
 *
 * docs/exit-status.md shows the tables; a test compares them.
 */
#ifndef USER_REASON_CLASS_H
#define USER_REASON_CLASS_H

#include <stdbool.h>
#include <sendcp/error.h>

enum reason_actor {
	/* It passes by itself. */
	ACT_NOBODY,
	/* The caller of sendcp: other arguments, free space. */
	ACT_USER,
	/* The administrator of the filesystem and its devices, or of the machine. */
	ACT_ADMIN,
};

struct reason_class {
	/* The same command may succeed later: exit status 75. */
	bool passes;
	enum reason_actor actor;
};

/* "nobody", "user", "administrator". */
const char *sendcp_reason_actor_name(enum reason_actor actor);
/* Of @reason by itself. One that is unknown does not pass. */
struct reason_class sendcp_reason_class(enum sendcp_reason reason);
/* "DATA_CSUM" and so on; NULL: there is none of that number. */
const char *sendcp_reason_name(enum sendcp_reason reason);
/*
 * Of writing the output or the checkpoint file, or of reading a device, that failed with @err, a
 * positive or negative errno. One that is not in the table does not pass.
 */
struct reason_class sendcp_reason_class_errno(int err);
/* The positive errnos of that table, in its order; 0: it ends before @index. */
int sendcp_reason_class_errno_at(unsigned int index);

/* Of a failed read: that of its reason, and where that is a device's errno, of that, too. */
struct reason_class sendcp_reason_class_read(const struct sendcp_error *error);

#endif
