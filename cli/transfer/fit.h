/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fitting a transfer into the memory that there is.
 *
 * The stream depends neither on its buffers nor on the level and the threads of the compression, so
 * these give way: threads first, then buffers. What the user has asked for on this command line is
 * kept, or the run ends before its first byte.
 */
#ifndef CLI_TRANSFER_FIT_H
#define CLI_TRANSFER_FIT_H

#include "job/header.h"

/*
 * Makes @settings and the run's part of @container smaller where there is not enough. @resumed:
 * they are from a checkpoint file, which anybody may have made: its buffers have a limit of their
 * own, and its level is lowered. -1 with an error line: it does not fit.
 */
int transfer_fit(const struct options *options, bool resumed, struct transfer_settings *settings,
		 struct container_spec *container);

/* Is there memory for the buffers? False with an error line. */
bool transfer_buffers_fit(const struct transfer_settings *settings);

#endif
