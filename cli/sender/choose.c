// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing the host that makes the stream of a mounted filesystem.
 */
#include "sender/module.h"
#include "sender/sender.h"
#include "util/message.h"

/* Absent and not asked for is no failure; there and not usable is one. */
int sender_choose(enum backend wanted, struct source *source)
{
	struct module_system system;
	struct module_status status;

	if (wanted == BACKEND_DIRECT)
		return 0;
	module_system_init(&system);
	module_ensure(&system, wanted == BACKEND_MODULE, &status);
	if (status.state == MODULE_READY) {
		source_use_module(source, system.access);
		return 0;
	}
	if (status.state == MODULE_BROKEN || wanted == BACKEND_MODULE)
		return error_line("%s", status.why);
	verbose_line(1, "backend direct: %s", status.why);
	return 0;
}
