/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding again what a journal's header names, and making sure that it is the same.
 *
 * A subvolume is known by its UUID, so it may have been renamed. Deleted, changed and replaced ones
 * are three different messages, each with what to do. Error lines and -1, or 0.
 */
#ifndef CLI_JOB_IDENTITY_H
#define CLI_JOB_IDENTITY_H

#include <sendcp/source.h>
#include "job/options.h"
#include "job/role.h"
#include "journal/format.h"

/* Opens the header's filesystem: its devices, or those in @options, or the one its paths are on. */
int identities_open_source(const struct journal_header *header, const struct options *options,
			   struct sendcp_source **out);
int reopen_by_identity(struct sendcp_source *source, const struct identity *identity,
		       enum role role, struct sendcp_subvolume *out);

/* The identities of @count subvolumes into @list, which the caller then owns. */
void identities_make(const struct sendcp_source *source, const struct sendcp_subvolume *subvolumes,
		     size_t count, struct identity_list *list);

#endif
