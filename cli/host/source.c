// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Common to all sources: the volume, interruption, warnings.
 */
#include <stdlib.h>
#include <unistd.h>

#include "host/source.h"
#include "util/message.h"
#include "volume/volume.h"

/* A dying disk would otherwise fill the screen with one line per sector. */
#define WARNINGS_MAX 20u
#define LINE_SIZE 512u

struct source *source_new(const struct source_kind *kind)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->kind = kind;
	source->mount_fd = -1;
	source->host.ops = &kind->host;
	source->host.private = source;
	return source;
}

int source_out_of_memory(void)
{
	return error_line("out of memory");
}

/* The volume goes first: closing it may still use the host. */
void source_close(struct source *source)
{
	if (!source)
		return;
	if (source->volume)
		scp_volume_close(source->volume);
	if (source->kind->release)
		source->kind->release(source);
	device_list_release(&source->devices);
	if (source->mount_fd >= 0)
		close(source->mount_fd);
	free(source);
}

int source_reopen(const struct source *source, struct source **out)
{
	return source->kind->reopen(source, out);
}

int source_unchanged(struct source *source, struct scp_error *error)
{
	return source->kind->unchanged ? source->kind->unchanged(source, error) : 0;
}

const char *source_kind(const struct source *source)
{
	return source->module ? "module" : source->kind->name;
}

void source_use_module(struct source *source, const struct module_access *module)
{
	source->module = module;
}

const struct module_access *source_module(const struct source *source)
{
	return source->module;
}

unsigned int source_device_count(const struct source *source)
{
	return source->devices.count;
}

int source_device_fd(const struct source *source, unsigned int index)
{
	return source->devices.devices[index].fd;
}

const char *source_device_path(const struct source *source, unsigned int index)
{
	return source->devices.devices[index].path;
}

bool source_has_log(const struct source *source)
{
	return !source->host.live && source->volume->log_root;
}

struct scp_volume *source_volume(struct source *source)
{
	return source->volume;
}

const unsigned char *source_fsid(const struct source *source)
{
	return source->volume->fsid;
}

void source_set_interrupt(struct source *source, const volatile int *flag)
{
	source->interrupt = flag;
}

bool source_interrupted(const struct source *source)
{
	return source->interrupt && *source->interrupt;
}

int source_host_interrupted(void *host)
{
	return source_interrupted(host) ? -EINTR : 0;
}

/* The path of the device an error names, or NULL. */
static const char *device_at_fault(const struct source *source, const struct scp_error *error)
{
	if (error->device >= source->devices.count)
		return NULL;
	return source->devices.devices[error->device].path;
}

void source_host_warn(void *host, const struct scp_error *what)
{
	struct source *source = host;
	const char *path = device_at_fault(source, what);
	struct scp_error shown = *what;
	char line[LINE_SIZE];
	char *gloomy;

	if (source->warnings > WARNINGS_MAX)
		return;
	if (source->warnings++ == WARNINGS_MAX) {
		warn_line("more bad copies were replaced by good ones; no more lines about that");
		return;
	}
	if (path)
		shown.device = SCP_NOWHERE;
	scp_error_format(&shown, line, sizeof(line));
	/* The reasons' texts are made for failures, where nothing else was left. */
	gloomy = strstr(line, " and no ");
	if (gloomy)
		*gloomy = '\0';
	warn_line("%s%s%s%s", path ? path : "", path ? ": " : "", line,
		  gloomy ? "; another copy is good" : "");
}

int source_start(struct source *source, const char *what, const char *hint)
{
	struct scp_error error;
	char line[LINE_SIZE];
	const char *path;

	source->host.device_count = source->devices.count;
	scp_error_clear(&error);
	if (!scp_volume_open(&source->host, &source->volume, &error))
		return 0;
	path = device_at_fault(source, &error);
	/* Its path says more than its number. */
	if (path)
		error.device = SCP_NOWHERE;
	return error_line("%s: %s%s", path ? path : what,
			  scp_error_format(&error, line, sizeof(line)), hint);
}
