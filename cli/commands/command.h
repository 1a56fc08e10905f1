/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands' entry points.
 */
#ifndef CLI_COMMANDS_COMMAND_H
#define CLI_COMMANDS_COMMAND_H

#include "commands/options.h"

int command_send(const struct options *options);
int command_resume(const struct options *options);
int command_show(const struct options *options);
int command_verify(const struct options *options);
int command_dump(const struct options *options);
int command_cat(const struct options *options);
int command_list(const struct options *options);
int command_info(const struct options *options);

#endif
