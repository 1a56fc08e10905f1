/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people: one line each, on stderr, "sendcp: " before warnings and errors.
 * Thread-safe: a line is one write(2).
 */
#ifndef CLI_UTIL_MESSAGE_H
#define CLI_UTIL_MESSAGE_H

#include <stdbool.h>
#include <sendcp/error.h>

/* Exit codes of the program. */
enum exit_code {
	EXIT_DONE = 0,
	/* Failed for good. */
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	/* Complete, but contents that could not be read are replaced in it: --on-data-error. */
	EXIT_REPLACED = 3,
	/* Interrupted; `sendcp resume` can complete it. */
	EXIT_BROKEN_OFF = 75,
};

/* All of the stream is there. */
static inline bool exit_is_complete(int code)
{
	return code == EXIT_DONE || code == EXIT_REPLACED;
}

/* -1 with -q, 0, 1 and more with each -v. */
void message_set_verbosity(int verbosity);
int message_verbosity(void);
/* Each message is a JSON object with "message_type" and "text". Before there is a thread. */
void message_set_json(bool json);
bool message_json(void);

/*
 * Names come from disks: none of them may break a line or drive a terminal. Control characters of
 * @line, and bytes that are not UTF-8, become '?'.
 */
void make_printable(char *line);
/* Always printed. Returns -1, so that `return error_line(...)` reads well. */
int error_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * @name is locked by another run: that passes, so the program ends with EXIT_BROKEN_OFF if no other
 * error follows. -1 as error_line().
 */
int error_in_use(const char *name);
bool message_in_use(void);
/* "sendcp: warning: ", not with -q: what must be seen in any case is an error. */
void warn_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Always printed, with "sendcp: ": no failure, but what was asked for. */
void notice_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Without prefix, not with -q. */
void info_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Without prefix, only with at least @level times -v. */
void verbose_line(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Which signal asked to stop; once, since several layers end because of it. Returns -1. */
int error_stopped(void);
/* The same, with " after ..." at its end. */
int error_stopped_after(const char *after);

/* An engine's error about the thing the user calls @what, as an error_line. Returns -1. */
int error_engine(const char *what, const struct sendcp_error *error);

#endif
