/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what a stream is made from: the backends' failures and warnings become lines on stderr.
 *
 * Functions print their own error line and return -1, or 0.
 */
#ifndef CLI_JOB_OPEN_SOURCE_H
#define CLI_JOB_OPEN_SOURCE_H

#include "backend/sender.h"

/* As sendcp_source_open_mounted() and sendcp_source_open_image(). */
/* @role, if not NULL, is in front of the error. */
int open_mounted(const char *path, const char *role, struct sendcp_source **out);
int open_image(const char *const *devices, size_t count, struct sendcp_source **out);
/* As sendcp_backend_choose(); -v says why it is not the module. */
int choose_backend(enum backend wanted, struct sendcp_source *source);
/* Prints @error. Returns -1. */
int error_source(const struct sendcp_source_error *error);

#endif
