/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that shows what the program is doing: a bar on a terminal, lines or JSON on standard
 * error, the process title, and a line whenever SIGUSR1 comes.
 */
#ifndef CLI_TRANSFER_PRINTER_H
#define CLI_TRANSFER_PRINTER_H

#include "job/options.h"

/* Of a command that may take long; @command is its name. */
void printer_begin(const struct options *options, const char *command);
/* Is anything shown for which the total should be known? */
bool printer_wants_total(void);
/* The bar stays as it is at the end of a transfer. */
void printer_settle(void);
/* Nothing is shown any more; SIGUSR1 has no effect. */
void printer_end(void);

#endif
