/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resources that the kernel's side of the platform API keeps as long as the module is loaded.
 */
#ifndef SENDCP_MODULE_PLATFORM_H
#define SENDCP_MODULE_PLATFORM_H

/* No engine may be left. */
void sendcp_platform_release(void);

#endif
