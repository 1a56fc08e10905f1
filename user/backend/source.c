// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Common to the direct and the image backend: the volume, interruption, errors, warnings.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/decompress.h"
#include "backend/internal.h"
#include "backend/sender.h"

/* A dying disk would otherwise fill the screen with one line per sector. */
#define WARNINGS_MAX 20u
#define LINE_SIZE 512u

struct sendcp_source *sendcp_source_new(const struct source_kind *kind,
					const struct sendcp_source_hooks *hooks)
{
	struct sendcp_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->kind = kind;
	if (hooks)
		source->hooks = *hooks;
	source->mount_fd = -1;
	source->host.ops = &kind->host;
	source->host.private = source;
	return source;
}

int sendcp_source_opened(struct sendcp_source *source, int ret, struct sendcp_source **out,
			 struct sendcp_source_error *error)
{
	*out = ret ? NULL : source;
	if (!ret)
		return 0;
	if (source && error)
		*error = source->error;
	else
		sendcp_source_error_set(error, ret, "out of memory");
	sendcp_source_close(source);
	return ret;
}

static int set_text(struct sendcp_source_error *error, int err, const char *fmt, va_list args)
{
	error->err = err;
	sendcp_error_clear(&error->cause);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	return err;
}

int sendcp_source_error_set(struct sendcp_source_error *error, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (error)
		set_text(error, err, fmt, args);
	va_end(args);
	return err;
}

int sendcp_source_fail(struct sendcp_source *source, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_text(&source->error, err, fmt, args);
	va_end(args);
	return err;
}

int sendcp_source_fail_errno(struct sendcp_source *source, const char *fmt, ...)
{
	int err = errno;
	size_t length;
	va_list args;

	va_start(args, fmt);
	set_text(&source->error, -err, fmt, args);
	va_end(args);
	length = strlen(source->error.text);
	snprintf(source->error.text + length, sizeof(source->error.text) - length, ": %s",
		 strerror(err));
	return -err;
}

int sendcp_source_no_memory(struct sendcp_source *source)
{
	return sendcp_source_fail(source, -ENOMEM, "out of memory");
}

/* About @what, unless a device is at fault: its path says more than its number. */
static int fail_engine(struct sendcp_source *source, const char *what,
		       const struct sendcp_error *cause, const char *hint)
{
	struct sendcp_error shown = *cause;
	char line[LINE_SIZE];

	if (cause->device < source->devices.count) {
		what = source->devices.devices[cause->device].path;
		shown.device = SENDCP_NOWHERE;
	}
	sendcp_source_fail(source, cause->err, "%s: %s%s", what,
			   sendcp_error_format(&shown, line, sizeof(line)), hint);
	source->error.cause = *cause;
	return cause->err;
}

int sendcp_source_fail_volume(struct sendcp_source *source, const char *what)
{
	return fail_engine(source, what, sendcp_volume_error(source->volume), "");
}

const struct sendcp_source_error *sendcp_source_error(const struct sendcp_source *source)
{
	return &source->error;
}

void sendcp_source_warn(struct sendcp_source *source, const char *fmt, ...)
{
	char line[SENDCP_SOURCE_TEXT_SIZE];
	va_list args;

	if (!source->hooks.warn)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	source->hooks.warn(source->hooks.context, line);
}

/* In this order: closing the volume may still use the host. */
void sendcp_source_close(struct sendcp_source *source)
{
	if (!source)
		return;
	sendcp_file_reader_close(source->files);
	sendcp_volume_close(source->volume);
	if (source->kind->release)
		source->kind->release(source);
	sendcp_device_list_release(&source->devices);
	sendcp_decompressor_free(source->decompressor);
	if (source->mount_fd >= 0)
		close(source->mount_fd);
	free(source);
}

int sendcp_source_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			 struct sendcp_source_error *error)
{
	return source->kind->reopen(source, out, error);
}

int sendcp_source_unchanged(struct sendcp_source *source, struct sendcp_error *error)
{
	return source->kind->unchanged ? source->kind->unchanged(source, error) : 0;
}

const char *sendcp_source_kind(const struct sendcp_source *source)
{
	return source->module ? "module" : source->kind->name;
}

void sendcp_source_use_module(struct sendcp_source *source, const struct module_access *module)
{
	source->module = module;
}

const struct module_access *sendcp_source_module(const struct sendcp_source *source)
{
	return source->module;
}

unsigned int sendcp_source_device_count(const struct sendcp_source *source)
{
	return source->devices.count;
}

int sendcp_source_device_fd(const struct sendcp_source *source, unsigned int index)
{
	return source->devices.devices[index].fd;
}

const char *sendcp_source_device_path(const struct sendcp_source *source, unsigned int index)
{
	return source->devices.devices[index].path;
}

bool sendcp_source_has_log(const struct sendcp_source *source)
{
	struct sendcp_volume_info info;

	sendcp_volume_info(source->volume, &info);
	return !source->host.mounted && info.log_root;
}

struct sendcp_volume *sendcp_source_volume(struct sendcp_source *source)
{
	return source->volume;
}

const unsigned char *sendcp_source_fsid(const struct sendcp_source *source)
{
	return source->fsid;
}

void sendcp_source_set_interrupt(struct sendcp_source *source,
				 const struct sendcp_cancel *interrupt)
{
	source->interrupt = interrupt;
}

bool sendcp_source_interrupted(const struct sendcp_source *source)
{
	return sendcp_cancelled(source->interrupt);
}

int sendcp_source_host_interrupted(void *host)
{
	return sendcp_source_interrupted(host) ? -EINTR : 0;
}

/* Most filesystems have nothing compressed; so the libraries are set up when something is. */
int sendcp_source_host_decompress(void *host, u8 compression, u32 sectorsize, const void *in,
				  u32 in_size, void *out, u32 out_size)
{
	struct sendcp_source *source = host;

	if (!source->decompressor)
		source->decompressor = sendcp_decompressor_new();
	if (!source->decompressor)
		return -ENOMEM;
	return sendcp_decompress(source->decompressor, compression, sectorsize, in, in_size, out,
				 out_size);
}

void sendcp_source_host_warn(void *host, const struct sendcp_error *what)
{
	struct sendcp_source *source = host;
	struct sendcp_error shown = *what;
	const char *path = NULL;
	char line[LINE_SIZE];

	if (source->warnings > WARNINGS_MAX)
		return;
	if (source->warnings++ == WARNINGS_MAX) {
		sendcp_source_warn(source,
				   "more bad copies were replaced by good ones; no more lines "
				   "about that");
		return;
	}
	if (what->device < source->devices.count) {
		path = source->devices.devices[what->device].path;
		shown.device = SENDCP_NOWHERE;
	}
	sendcp_source_warn(source, "%s%s%s", path ? path : "", path ? ": " : "",
			   sendcp_warning_format(&shown, line, sizeof(line)));
}

int sendcp_source_start(struct sendcp_source *source, const char *what, const char *hint)
{
	struct sendcp_volume_info info;
	struct sendcp_error error;

	source->host.device_count = source->devices.count;
	sendcp_error_clear(&error);
	if (sendcp_volume_open(&source->host, &source->volume, &error))
		return fail_engine(source, what, &error, hint);
	sendcp_volume_info(source->volume, &info);
	memcpy(source->fsid, info.fsid, sizeof(source->fsid));
	return 0;
}
