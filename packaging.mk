# SPDX-License-Identifier: GPL-2.0-or-later
# Installation, and packages: Debian, RPM, source archive. Included by the Makefile.

prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libexecdir ?= $(exec_prefix)/libexec
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
docdir ?= $(datarootdir)/doc/sendcp
mandir ?= $(datarootdir)/man
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
systemdsystemunitdir ?= $(prefix)/lib/systemd/system

INSTALL ?= install
INSTALL_PROGRAM ?= $(INSTALL) -m 755
INSTALL_DATA ?= $(INSTALL) -m 644

MANUAL_PAGES := $(wildcard man/*.[1-9])
UNITS := $(wildcard docs/examples/systemd/*.service docs/examples/systemd/*.timer)
DOCUMENTS := README.md CHANGELOG.md $(wildcard docs/*.md)
DIST := sendcp-$(VERSION)
PACKAGES_DIR ?= $(BUILD)/packages
# The project's address. There is no public one yet: a placeholder, of the domain that is reserved
# for examples. docs/packages.md says where it is used, and how to set another.
PROJECT_URL ?= https://example.org/sendcp
# Reproducible: the same commit always gives the same bytes.
dist deb rpm apt-repo rpm-repo: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || \
	stat -c %Y Makefile)

.PHONY: install-program install-completions install-documents install-units install-btrbk install-header \
	uninstall dist deb rpm apt-repo rpm-repo check-install package-deps

install: install-program install-completions install-documents install-units install-btrbk \
	install-header

# $(call into,DIRECTORY): the directory to install to; $(call made,DIRECTORY) makes it.
into = $(DESTDIR)$(1)
made = $(INSTALL) -d $(DESTDIR)$(1)

install-program: all
	$(call made,$(bindir))
	$(INSTALL_PROGRAM) $(BUILD)/sendcp $(call into,$(bindir))/sendcp

install-completions:
	$(call made,$(bashcompletiondir)) $(call into,$(zshcompletiondir)) $(call into,$(fishcompletiondir))
	$(INSTALL_DATA) completions/sendcp.bash $(call into,$(bashcompletiondir))/sendcp
	$(INSTALL_DATA) completions/_sendcp $(call into,$(zshcompletiondir))/_sendcp
	$(INSTALL_DATA) completions/sendcp.fish $(call into,$(fishcompletiondir))/sendcp.fish

install-documents:
	$(call made,$(docdir)) $(foreach page,$(MANUAL_PAGES),$(call into,$(mandir))/man$(subst .,,$(suffix $(page))))
	$(foreach page,$(MANUAL_PAGES),$(INSTALL_DATA) $(page) \
		$(call into,$(mandir))/man$(subst .,,$(suffix $(page)))/$(notdir $(page)) &&) :
	$(INSTALL_DATA) $(DOCUMENTS) $(call into,$(docdir))
	sed 's/](docs\//](/g' README.md >$(call into,$(docdir))/README.md
	$(call made,$(docdir)/examples)
	$(INSTALL_DATA) docs/examples/btrbk/btrbk.conf docs/examples/systemd/home.conf \
		$(call into,$(docdir))/examples

# Units and their programs contain absolute paths.
install-units:
	$(call made,$(libexecdir)/sendcp) $(call into,$(systemdsystemunitdir))
	sed 's|@bindir@|$(bindir)|' docs/examples/systemd/nightly.in >$(call into,$(libexecdir))/sendcp/nightly
	chmod 755 $(call into,$(libexecdir))/sendcp/nightly
	$(foreach unit,$(UNITS),sed 's|@libexecdir@|$(libexecdir)|' $(unit) \
		>$(call into,$(systemdsystemunitdir))/$(notdir $(unit)) && \
		chmod 644 $(call into,$(systemdsystemunitdir))/$(notdir $(unit)) &&) :

# Under the names that btrbk calls.
install-btrbk:
	$(call made,$(libexecdir)/sendcp/btrbk)
	$(INSTALL_PROGRAM) docs/examples/btrbk/sendcp-btrbk $(call into,$(libexecdir))/sendcp/btrbk
	$(foreach name,send receive subvolume-list subvolume-show subvolume-snapshot subvolume-delete \
		filesystem-usage qgroup-destroy,\
		ln -sf sendcp-btrbk $(call into,$(libexecdir))/sendcp/btrbk/btrfs-$(name) &&) :

install-header:
	$(call made,$(includedir))
	$(INSTALL_DATA) include/uapi/sendcp.h $(call into,$(includedir))/sendcp.h

uninstall:
	rm -f $(call into,$(bindir))/sendcp $(call into,$(includedir))/sendcp.h \
		$(call into,$(bashcompletiondir))/sendcp $(call into,$(zshcompletiondir))/_sendcp \
		$(call into,$(fishcompletiondir))/sendcp.fish \
		$(foreach page,$(MANUAL_PAGES),$(call into,$(mandir))/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
		$(foreach unit,$(UNITS),$(call into,$(systemdsystemunitdir))/$(notdir $(unit)))
	rm -rf $(call into,$(docdir)) $(call into,$(libexecdir))/sendcp

dist:
	@test/packages/dist.sh $(DIST) $(PACKAGES_DIR) '$(PROJECT_URL)'

package-deps:
	@test/install-deps.sh build packages

# Both are built from the archive of `make dist`, not from the working tree.
deb: package-deps dist
	@test/packages/deb.sh $(PACKAGES_DIR)/$(DIST).tar.gz $(PACKAGES_DIR)

rpm: package-deps dist
	@test/packages/rpm.sh $(PACKAGES_DIR)/$(DIST).tar.gz $(PACKAGES_DIR)

# Repositories to install from: of the packages that were made, signed by KEY, to be published at the address.
KEY ?=
APT_URL ?= $(PROJECT_URL)/apt
RPM_URL ?= $(PROJECT_URL)/rpm

apt-repo: package-deps
	@test/packages/apt-repo.sh $(PACKAGES_DIR) '$(KEY)' '$(APT_URL)'

rpm-repo: package-deps
	@test/packages/rpm-repo.sh $(PACKAGES_DIR) '$(KEY)' '$(RPM_URL)'

# SUITES="bookworm trixie"
check-install:
	@test/install-deps.sh build test packages vm install
	@$(MAKE) --no-print-directory dist
	@BUILD=$(BUILD) test/vm/install/run.sh $(SUITES)
