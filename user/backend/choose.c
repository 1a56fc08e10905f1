// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing the backend that makes the streams of a mounted filesystem.
 */
#include <errno.h>

#include "backend/sender.h"

/* Absent and not asked for is no failure; present and not usable is one. */
int sendcp_backend_choose(enum backend wanted, struct sendcp_source *source,
			  struct module_status *status)
{
	struct module_system system;

	*status = (struct module_status){ .state = MODULE_ABSENT };
	if (wanted == BACKEND_DIRECT)
		return 0;
	sendcp_module_system_init(&system);
	sendcp_module_ensure(&system, wanted == BACKEND_MODULE, status);
	if (status->state == MODULE_READY)
		sendcp_source_use_module(source, system.access);
	else if (status->state == MODULE_BROKEN || wanted == BACKEND_MODULE)
		return -ENODEV;
	return 0;
}
