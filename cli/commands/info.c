// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp info: which hosts can make streams here, and the versions of everything.
 */
#include <archive.h>
#include <blkid/blkid.h>
#include <btrfsutil.h>
#include <gcrypt.h>
#include <isa-l.h>
#include <json-c/json.h>
#include <lzo/lzoconf.h>
#include <stdio.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "commands/command.h"
#include "backend/module.h"
#include "util/json_line.h"
#include "util/message.h"

#define VERSION_SIZE 32

struct library {
	const char *name;
	char version[VERSION_SIZE];
};

enum { LIBRARY_COUNT = 10 };

/* As "1.2.3". */
static void put_numbers(struct library *library, unsigned int major, unsigned int minor,
			unsigned int patch)
{
	snprintf(library->version, VERSION_SIZE, "%u.%u.%u", major, minor, patch);
}

static void put_text(struct library *library, const char *version)
{
	snprintf(library->version, VERSION_SIZE, "%s", version);
}

/* Those that are loaded, where a library can say so; else those compiled against. */
static void list_libraries(struct library *libraries)
{
	static const char *const names[LIBRARY_COUNT] = {
		"libarchive", "libblkid", "libbtrfsutil", "libgcrypt", "libisal", "json-c",
		"liblzo2", "libxxhash", "libzstd", "zlib",
	};
	unsigned int xxhash = XXH_versionNumber();
	const char *blkid = "";

	for (size_t i = 0; i < LIBRARY_COUNT; i++)
		libraries[i].name = names[i];
	blkid_get_library_version(&blkid, NULL);
	put_numbers(libraries++, (unsigned int)archive_version_number() / 1000000,
		    (unsigned int)archive_version_number() / 1000 % 1000,
		    (unsigned int)archive_version_number() % 1000);
	put_text(libraries++, blkid);
	put_numbers(libraries++, BTRFS_UTIL_VERSION_MAJOR, BTRFS_UTIL_VERSION_MINOR,
		    BTRFS_UTIL_VERSION_PATCH);
	put_text(libraries++, gcry_check_version(NULL));
	put_numbers(libraries++, ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
	put_text(libraries++, json_c_version());
	put_text(libraries++, lzo_version_string());
	put_numbers(libraries++, xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
	put_text(libraries++, ZSTD_versionString());
	put_text(libraries, zlibVersion());
}

static const char *direct_lacks(const struct module_system *system)
{
	return system->root ? "" : "needs root (CAP_SYS_ADMIN)";
}

static void show_module(const struct module_status *status)
{
	const struct sendcp_info *info = &status->info;

	if (status->state == MODULE_READY)
		printf("%-16sready: version %s, ABI %u, protocols %u to %u, compat kernel %u\n",
		       "backend module:", info->version, info->abi_version, info->protocol_min,
		       info->protocol_max, info->compat_kernel);
	else
		printf("%-16snot available: %s\n", "backend module:", status->why);
}

static void show_text(const struct module_system *system, const struct module_status *status,
		      const struct library *libraries)
{
	const char *lacks = direct_lacks(system);

	printf("%-16s%s\n", "sendcp:", SENDCP_VERSION);
	printf("%-16s%u (of Linux %u.%u)\n", "compat kernel:", SENDCP_COMPAT_KERNEL,
	       SENDCP_COMPAT_KERNEL / 100, SENDCP_COMPAT_KERNEL % 100);
	printf("%-16s%u to %u\n", "protocols:", SENDCP_PROTOCOL_MIN, SENDCP_PROTOCOL_MAX);
	printf("%-16s%u\n", "module ABI:", SENDCP_ABI_VERSION);
	show_module(status);
	printf("%-16s%s%s\n", "backend direct:", *lacks ? "not available: " : "ready", lacks);
	printf("%-16sready\n", "backend image:");
	for (size_t i = 0; i < LIBRARY_COUNT; i++)
		printf("%-16s%s %s\n", i ? "" : "libraries:", libraries[i].name,
		       libraries[i].version);
}

/* "reason" is there only where something is lacking. */
static struct json_object *host_json(const char *lacks)
{
	struct json_object *host = json_new();

	json_put_bool(host, "available", !*lacks);
	if (*lacks)
		json_put_string(host, "reason", lacks);
	return host;
}

static struct json_object *module_json(const struct module_status *status)
{
	struct json_object *host = host_json(status->why);
	const struct sendcp_info *info = &status->info;

	json_put_bool(host, "installed", status->installed);
	if (!info->size)
		return host;
	json_put_string(host, "version", info->version);
	json_put_u64(host, "abi_version", info->abi_version);
	json_put_u64(host, "protocol_min", info->protocol_min);
	json_put_u64(host, "protocol_max", info->protocol_max);
	json_put_u64(host, "compat_kernel", info->compat_kernel);
	return host;
}

static void show_json(const struct module_system *system, const struct module_status *status,
		      const struct library *libraries)
{
	struct json_object *object = json_new();
	struct json_object *hosts = json_new();
	struct json_object *list = json_new();

	json_put_string(object, "version", SENDCP_VERSION);
	json_put_u64(object, "compat_kernel", SENDCP_COMPAT_KERNEL);
	json_put_u64(object, "protocol_min", SENDCP_PROTOCOL_MIN);
	json_put_u64(object, "protocol_max", SENDCP_PROTOCOL_MAX);
	json_put_u64(object, "abi_version", SENDCP_ABI_VERSION);
	json_put(hosts, "module", module_json(status));
	json_put(hosts, "direct", host_json(direct_lacks(system)));
	json_put(hosts, "image", host_json(""));
	json_put(object, "backends", hosts);
	for (size_t i = 0; i < LIBRARY_COUNT; i++)
		json_put_string(list, libraries[i].name, libraries[i].version);
	json_put(object, "libraries", list);
	json_print(object, true, stdout);
}

int command_info(const struct options *options)
{
	struct library libraries[LIBRARY_COUNT];
	struct module_system system;
	struct module_status status;

	list_libraries(libraries);
	sendcp_module_system_init(&system);
	sendcp_module_look(&system, &status);
	if (options->json)
		show_json(&system, &status, libraries);
	else
		show_text(&system, &status, libraries);
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output");
	return EXIT_FAILED;
}
