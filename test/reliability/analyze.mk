# SPDX-License-Identifier: GPL-2.0-or-later
# The rules of `make analyze`, for test/reliability/analyze.sh: a stamp per file and tool, made only
# if the tool says nothing, and made again when the file, a header or the tool's configuration
# changes. Included by the Makefile.

ANALYZED := $(ENGINE_SOURCES) $(USER_SOURCES) $(CLI_SOURCES) $(sort $(wildcard bench/*.c \
	docs/examples/*.c test/fuzz/*.c test/tools/*.c test/unit/*.c test/vm/guest/*.c))
ANALYZED_MODULE := $(sort $(wildcard module/*.c))
# Looked for only where they are needed: it reads every file.
ANALYZED_SHELL := $(if $(filter analyze-shellcheck,$(MAKECMDGOALS)),$(shell test/reliability/shell_files.sh))
ANALYZE := $(BUILD)/analyze
ANALYZE_RULES := Makefile test/reliability/analyze.mk
ANALYZE_INCLUDES := -Iinclude -Iuser -Isrc -Icli -Itest/tools -Itest/unit -Itest/fuzz
ANALYZE_FLAGS = -std=gnu11 $(ALL_CPPFLAGS) $(ANALYZE_INCLUDES) $(WARNINGS)

# Runs $(1), whose output and failure are findings.
finds_nothing = @mkdir -p $(@D); { $(1); } >$@.out 2>&1 && [ ! -s $@.out ] && touch $@ || \
	{ cat $@.out; exit 1; }

.PHONY: analyze-gcc analyze-clang-tidy analyze-cppcheck analyze-shellcheck

# cmocka's assertions do not return, which gcc does not know; a test that has no memory fails, too.
ANALYZE_TESTS := -Wno-analyzer-null-dereference -Wno-analyzer-possible-null-dereference \
	-Wno-analyzer-possible-null-argument
$(ANALYZE)/test/%: ANALYZE_FLAGS += $(ANALYZE_TESTS)
# sendcp_cursor_item_least() returns no positive number.
$(ANALYZE)/src/items/dirents.c.gcc: ANALYZE_FLAGS += -Wno-analyzer-null-argument
# keep() puts a path into the list, which gcc loses at an index that it does not know.
$(ANALYZE)/cli/journal/replaced.c.gcc: ANALYZE_FLAGS += -Wno-analyzer-malloc-leak
# These are malloc() and realloc() themselves.
$(ANALYZE)/test/tools/failcall_calls.c.gcc: ANALYZE_FLAGS += -Wno-analyzer-malloc-leak
analyze-gcc: $(ANALYZED:%=$(ANALYZE)/%.gcc)
$(ANALYZE)/%.gcc: % $(ANALYZE_RULES)
	$(call finds_nothing,$(CC) $(ANALYZE_FLAGS) -O2 -fanalyzer -MMD -MP \
		-MT '$@ $(@:.gcc=.clang-tidy)' -MF $@.d -c -o /dev/null $<)

# Without warnings of the compiler, which are gcc's task here. It counts those in system headers.
# They define functions of the C library, whose parameters have other names in its headers, and the
# macros take types.
$(addprefix $(ANALYZE)/test/tools/,failcall.c.clang-tidy failcall_calls.c.clang-tidy \
	writegate.c.clang-tidy): TIDY_FLAGS := --checks=-bugprone-macro-parentheses,$\
	-readability-inconsistent-declaration-parameter-name
analyze-clang-tidy: $(ANALYZED:%=$(ANALYZE)/%.clang-tidy)
$(ANALYZE)/%.clang-tidy: % .clang-tidy test/.clang-tidy $(ANALYZE_RULES)
	$(call finds_nothing,clang-tidy --quiet $(TIDY_FLAGS) $< -- -std=gnu11 $(ALL_CPPFLAGS) $(ANALYZE_INCLUDES) \
		2>$@.err || { cat $@.err; false; })

# It has a cache of its own. What it is not asked:
# style: wants other places for declarations, and const where the caller's is not.
# uninitvar and its kind: it takes what a function in another file sets for uninitialized.
# invalidPrintfArgType: gcc has -Wformat.
# arithOperationsOnVoidPointer, in the module: the kernel is in GNU C.
# strtokCalled, readdirCalled: no thread shares a directory or a line with another one.
CPPCHECK := cppcheck -q --std=c11 --enable=warning,performance,portability \
	--library=posix,gnu --inline-suppr --error-exitcode=1 \
	--suppress=uninitvar --suppress=uninitStructMember --suppress=legacyUninitvar \
	--suppress=ctuuninitvar --suppress=invalidPrintfArgType_uint \
	--suppress=strtokCalled --suppress=readdirCalled \
	--template='{file}:{line}: {severity}: {message} [{id}]'
analyze-cppcheck:
	@mkdir -p $(ANALYZE)/cppcheck
	@$(CPPCHECK) -j2 --cppcheck-build-dir=$(ANALYZE)/cppcheck -D_GNU_SOURCE \
		-D_FILE_OFFSET_BITS=64 -DSENDCP_VERSION='"$(VERSION)"' $(ANALYZE_INCLUDES) $(ANALYZED)
	@$(CPPCHECK) --suppress=arithOperationsOnVoidPointer -D__KERNEL__ -Iinclude $(ANALYZED_MODULE)

analyze-shellcheck: $(ANALYZED_SHELL:%=$(ANALYZE)/%.shellcheck)
	@[ -n '$(firstword $(ANALYZED_SHELL))' ]
$(ANALYZE)/%.shellcheck: % .shellcheckrc test/reliability/shellcheck.sh $(ANALYZE_RULES)
	$(call finds_nothing,test/reliability/shellcheck.sh $<)

-include $(ANALYZED:%=$(ANALYZE)/%.gcc.d)
