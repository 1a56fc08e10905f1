// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening what a stream is made from.
 */
#include "job/open_source.h"
#include "util/message.h"

static void warn(void *context, const char *text)
{
	warn_line("%s", text);
}

static const struct sendcp_source_hooks hooks = { .warn = warn };

int error_source(const struct sendcp_source_error *error)
{
	return error_line("%s", error->text);
}

int open_mounted(const char *path, const char *role, struct sendcp_source **out)
{
	struct sendcp_source_error error;

	if (!sendcp_source_open_mounted(path, &hooks, out, &error))
		return 0;
	return role ? error_line("%s: %s", role, error.text) : error_source(&error);
}

int open_image(const char *const *devices, size_t count, struct sendcp_source **out)
{
	struct sendcp_source_error error;

	return sendcp_source_open_image(devices, count, &hooks, out, &error) ?
		error_source(&error) : 0;
}

int choose_backend(enum backend wanted, struct sendcp_source *source)
{
	struct module_status status;

	if (sendcp_backend_choose(wanted, source, &status))
		return error_line("%s", status.why);
	if (*status.why)
		verbose_line(1, "backend direct: %s", status.why);
	return 0;
}
