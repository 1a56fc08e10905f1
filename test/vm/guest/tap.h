/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reporting of the guest's test programs: TAP on standard output.
 */
#ifndef SENDCP_TEST_TAP_H
#define SENDCP_TEST_TAP_H

#include <stdbool.h>

/* A test; returns @pass. */
bool ok(bool pass, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A test of a call that gave @got (0 or a negative errno). */
bool is_errno(int got, int expected, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A line for people. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something that the tests need is not there: the program ends, its plan missing. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The plan; returns the program's exit status. */
int tap_end(void);

#endif
