# SPDX-License-Identifier: GPL-2.0-or-later
# Every task of the project is a target here; `make help` lists them.

VERSION := 0.1.0
BUILD ?= build
CC ?= cc
PKG_CONFIG ?= pkg-config
SANITIZE ?=

PKGS := libisal libzstd zlib lzo2 libgcrypt libxxhash json-c blkid libbtrfsutil
ifneq ($(wildcard /usr/include/libaio.h),)
endif

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	-Wpointer-arith -Wvla -Wno-unused-parameter
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSENDCP_VERSION='"$(VERSION)"' -Iinclude -Isrc -Icli
