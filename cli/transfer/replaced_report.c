// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines about contents that could not be read and were replaced.
 */
#include <stdlib.h>

#include "transfer/replaced_report.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/summary.h"
#include "util/text.h"

char *replaced_name(const struct replaced_range *range, const struct identity_list *subvolumes)
{
	if (range->subvolume >= subvolumes->count)
		return xstrdup(range->path);
	return xasprintf("%s/%s", subvolumes->identities[range->subvolume].path, range->path);
}

static void report_range(const struct replaced_range *range, const struct identity_list *subvolumes)
{
	char *name = replaced_name(range, subvolumes);

	error_line("%s: %llu bytes at offset %llu cannot be read: %s", name, range->length,
		   range->offset, range->zeros ? "zeros are sent instead" : "they are not sent");
	free(name);
}

/* Where all of them are. */
static void report_more(const struct replaced_list *list, const char *file, const char *journal)
{
	char *name = file ? shell_quote(file) : xstrdup("FILE, where the stream is kept");
	char *show = journal ? shell_quote(journal) : NULL;

	error_line("and %llu more ranges; all: sendcp verify %s%s%s",
		   replaced_count(list) - REPLACED_LISTED, name, show ? "; sendcp show " : "",
		   show ? show : "");
	free(name);
	free(show);
}

int replaced_report(const struct replaced_list *list, const struct identity_list *subvolumes,
		    const char *file, const char *journal)
{
	if (!replaced_count(list))
		return EXIT_DONE;
	for (size_t i = 0; i < list->count && i < REPLACED_LISTED; i++)
		report_range(&list->ranges[i], subvolumes);
	if (replaced_count(list) > REPLACED_LISTED)
		report_more(list, file, journal);
	summary_replaced(replaced_count(list), list->bytes);
	return EXIT_REPLACED;
}

void replaced_report_so_far(const struct replaced_list *list)
{
	if (replaced_count(list))
		warn_line("%llu bytes in %llu ranges of files could not be read and are replaced "
			  "so far", list->bytes, replaced_count(list));
}
