// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Standard error: lines of text, and a bar.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/terminal.h"

#define WIDTH_DEFAULT 80
#define CLEAR_LINE "\r\033[K"
#define BAR_BYTES 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool shown;
static bool forbidden;
static bool closed;

unsigned int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH_DEFAULT;
	return size.ws_col;
}

/* Nothing useful can be done when stderr itself is broken, so failures end the attempt. */
static void write_all(const char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(STDERR_FILENO, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		bytes += done;
		size -= (size_t)done;
	}
}

static void clear(void)
{
	if (shown)
		write_all(CLEAR_LINE, strlen(CLEAR_LINE));
	shown = false;
}

static void print(const char *lines, size_t size)
{
	if (closed)
		return;
	clear();
	write_all(lines, size);
}

void terminal_print(const char *lines, size_t size)
{
	pthread_mutex_lock(&lock);
	print(lines, size);
	pthread_mutex_unlock(&lock);
}

void terminal_show(const char *bar)
{
	char bytes[BAR_BYTES];
	int size = snprintf(bytes, sizeof(bytes), CLEAR_LINE "%s", bar);

	pthread_mutex_lock(&lock);
	if (!forbidden && !closed && size > 0 && (size_t)size < sizeof(bytes)) {
		write_all(bytes, (size_t)size);
		shown = true;
	}
	pthread_mutex_unlock(&lock);
}

void terminal_allow(bool allowed)
{
	pthread_mutex_lock(&lock);
	if (!allowed)
		clear();
	forbidden = !allowed;
	pthread_mutex_unlock(&lock);
}

void terminal_keep(void)
{
	pthread_mutex_lock(&lock);
	if (shown)
		write_all("\n", 1);
	shown = false;
	pthread_mutex_unlock(&lock);
}

void terminal_close(const char *lines, size_t size)
{
	pthread_mutex_lock(&lock);
	print(lines, size);
	closed = true;
	pthread_mutex_unlock(&lock);
}
