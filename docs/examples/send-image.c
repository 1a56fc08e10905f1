// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * send-image FILE SUBVOLUME: sends a subvolume of an image to stdout. The engine as a library:
 * `make build/examples/send-image` compiles this against include/ and build/libsendcp.a.
 */
#include <stdio.h>
#include <sendcp/source.h>

static int fail(const char *why)
{
	fprintf(stderr, "send-image: %s\n", why);
	return 1;
}

static void warn(void *context, const char *text)
{
	fprintf(stderr, "send-image: warning: %s\n", text);
}

static int write_stream(struct sendcp_engine *engine, struct sendcp_source *source)
{
	static char buffer[1 << 20];
	struct sendcp_fill fill = { .buffer = buffer, .size = sizeof(buffer) };
	struct sendcp_error error;
	int ret = 0;

	sendcp_error_clear(&error);
	while (!fill.end && !ret) {
		ret = sendcp_engine_fill(engine, &fill);
		if (ret)
			error = *sendcp_engine_error(engine);
		else
			/* Somebody may write to the image: then the bytes are of two states. */
			ret = sendcp_source_unchanged(source, &error);
		if (!ret && fwrite(buffer, 1, fill.filled, stdout) != fill.filled)
			return fail("cannot write to stdout");
	}
	if (ret)
		return fail(sendcp_error_format(&error, buffer, sizeof(buffer)));
	return fflush(stdout) ? fail("cannot write to stdout") : 0;
}

static int send_subvolume(struct sendcp_source *source, const char *name)
{
	struct sendcp_request request = { .protocol = 1, .flags = SENDCP_SEND_WRITABLE_OK };
	struct sendcp_subvolume subvolume;
	struct sendcp_engine *engine;
	struct sendcp_error error;
	bool incomplete;
	char text[512];
	int ret;

	if (sendcp_source_find_subvolume(source, name, &subvolume))
		return fail(sendcp_source_error(source)->text);
	request.subvolume = subvolume.id;
	incomplete = !subvolume.readonly && sendcp_source_has_log(source);
	sendcp_subvolume_release(&subvolume);
	if (incomplete)
		return fail("its last writes are in the log alone: mount the image once");
	if (sendcp_engine_open(sendcp_source_volume(source), &request, &engine, &error))
		return fail(sendcp_error_format(&error, text, sizeof(text)));
	ret = write_stream(engine, source);
	sendcp_engine_close(engine);
	return ret;
}

int main(int argc, char **argv)
{
	const struct sendcp_source_hooks hooks = { .warn = warn };
	struct sendcp_source_error error;
	struct sendcp_source *source;
	int ret;

	if (argc != 3)
		return fail("usage: send-image FILE SUBVOLUME");
	if (sendcp_source_open_image((const char *const *)&argv[1], 1, &hooks, &source, &error))
		return fail(error.text);
	ret = send_subvolume(source, argv[2]);
	sendcp_source_close(source);
	return ret;
}
