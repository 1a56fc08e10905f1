/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the platform door keeps as long as the module is loaded.
 */
#ifndef SENDCP_MODULE_PLATFORM_H
#define SENDCP_MODULE_PLATFORM_H

/* No engine may be left. */
void sendcp_platform_release(void);

#endif
