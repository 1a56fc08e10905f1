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

static int write_stream(struct scp_engine *engine, struct source *source)
{
	static char buffer[1 << 20];
	struct scp_fill fill = { .buffer = buffer, .size = sizeof(buffer) };
	struct scp_error error = *scp_engine_error(engine);
	int ret = 0;

	while (!fill.end && !ret) {
		ret = scp_engine_fill(engine, &fill);
		if (ret)
			error = *scp_engine_error(engine);
		else
			ret = source_unchanged(source, &error);
		if (!ret && fwrite(buffer, 1, fill.filled, stdout) != fill.filled)
			return fail("cannot write to stdout");
	}
	if (ret)
		return fail(scp_error_format(&error, buffer, sizeof(buffer)));
	return fflush(stdout) ? fail("cannot write to stdout") : 0;
}

static int send_subvolume(struct source *source, const char *name)
{
	struct scp_request request = { .protocol = 1, .flags = SCP_SEND_WRITABLE_OK };
	struct subvolume subvolume;
	struct scp_engine *engine;
	struct scp_error error;
	char text[512];
	int ret;

	if (source_find_subvolume(source, name, &subvolume))
		return fail(source_error(source)->text);
	request.subvolume = subvolume.id;
	subvolume_release(&subvolume);
	if (scp_engine_open(source_volume(source), &request, &engine, &error))
		return fail(scp_error_format(&error, text, sizeof(text)));
	ret = write_stream(engine, source);
	scp_engine_close(engine);
	return ret;
}

int main(int argc, char **argv)
{
	struct source_error error;
	struct source *source;
	int ret;

	if (argc != 3)
		return fail("usage: send-image FILE SUBVOLUME");
	if (source_open_image((const char *const *)&argv[1], 1, NULL, &source, &error))
		return fail(error.text);
	ret = send_subvolume(source, argv[2]);
	source_close(source);
	return ret;
}
