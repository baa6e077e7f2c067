# refheap: see README.md. Quiet by default; V=1 shows the commands.
#
#   make                      build/refheap, build/librefheap.so, build/librefheap.a
#   make deps-build           install what is needed to build (Debian)
#   make demo | test          install what is missing (Debian), then the demo or the tests
#   make bench                timings beside the machine's limits and CPython
#   make install PREFIX=/usr/local DESTDIR=
#   make deb                  Debian packages
#   O=DIR SAN=address,undefined ORDINALS=64 CC=clang V=1

VERSION := 0.1.0
RELEASED := 2026-11-20
SOVERSION := 0
O ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(ORDINALS),-$(ORDINALS))
comma := ,
PREFIX ?= /usr/local
CC ?= cc
CXX ?= c++
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config
ifeq ($(origin CC),default)
CC := gcc
endif

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
BASE := -std=gnu11 $(CFLAGS) $(WARN) $(SANFLAGS) -fPIC -fvisibility=hidden -MMD -MP -D_GNU_SOURCE \
	-DREFHEAP_VERSION='"$(VERSION)"' -I$(O)/gen -Idumpfmt/include -Iruntime/librefheap/include \
	$(if $(ORDINALS),-DREFHEAP_ORDINAL_BITS=$(ORDINALS)) $(CPPFLAGS)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n' $(1) $(2)
endif

# ---- what is built from what ----

DUMPFMT_WRITER := error format crc32c sink writer
DUMPFMT_READER := snapshot blocks check columns resolve view pack
LIBREFHEAP := $(basename $(notdir $(wildcard runtime/librefheap/*.c)))
CPYTHON := $(basename $(notdir $(wildcard runtime/cpython/*.c)))
MODULE := $(basename $(notdir $(wildcard runtime/cpython/module/*.c)))
PROBE := $(basename $(notdir $(wildcard runtime/probe/*.c)))
GRAPH := $(basename $(notdir $(wildcard analyzer/graph/*.c)))
RENDER := $(basename $(notdir $(wildcard analyzer/render/*.c)))
REPORT := $(filter-out make_%,$(basename $(notdir $(wildcard analyzer/report/*.c))))
SQL := $(basename $(notdir $(wildcard analyzer/sql/*.c)))
BROWSE := $(basename $(notdir $(wildcard analyzer/browse/*.c)))
ANALYZER := $(basename $(wildcard $(addsuffix *.c,analyzer/ $(addprefix analyzer/,session/ answers/ pictures/ export/ line/ parts/))))
SAMPLES := $(basename $(notdir $(wildcard samples/c/*.c)))
SUPPORT := $(basename $(notdir $(wildcard tests/support/*.c)))
UNIT := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
TOOLS := $(basename $(notdir $(wildcard tests/tools/*.c)))
MODEL := $(basename $(notdir $(wildcard tests/model/*.c)))

writer_o := $(DUMPFMT_WRITER:%=$(O)/dumpfmt/%.o)
reader_o := $(DUMPFMT_READER:%=$(O)/dumpfmt/%.o)
maps_o := $(addprefix $(O)/runtime/maps/,maps.o self.o pattern.o)
lib_o := $(LIBREFHEAP:%=$(O)/runtime/librefheap/%.o)
lib_debug_o := $(LIBREFHEAP:%=$(O)/debug/%.o)
cpython_o := $(CPYTHON:%=$(O)/runtime/cpython/%.o)
module_o := $(MODULE:%=$(O)/runtime/cpython/module/%.o)
probe_o := $(PROBE:%=$(O)/runtime/probe/%.o)
graph_o := $(GRAPH:%=$(O)/analyzer/graph/%.o)
render_o := $(RENDER:%=$(O)/analyzer/render/%.o)
sql_o := $(SQL:%=$(O)/analyzer/sql/%.o)
report_o := $(REPORT:%=$(O)/analyzer/report/%.o)
browse_o := $(BROWSE:%=$(O)/analyzer/browse/%.o)
analyzer_o := $(ANALYZER:%=$(O)/%.o)
support_o := $(SUPPORT:%=$(O)/tests/support/%.o)
session_o := $(addprefix $(O)/analyzer/session/,session.o session_kept.o owners.o kept.o fail.o)
core_o := $(writer_o) $(reader_o) $(maps_o) $(cpython_o) $(probe_o) $(graph_o) $(render_o)

GVC_CFLAGS = $(shell $(PKG_CONFIG) --cflags libgvc)
GVC_LIBS = $(shell $(PKG_CONFIG) --libs libgvc)
# SQLite answers queries: the language people know, in one library that can be bounded and takes tables of ours.
SQLITE_CFLAGS = $(shell $(PKG_CONFIG) --cflags sqlite3)
SQLITE_LIBS = $(shell $(PKG_CONFIG) --libs sqlite3)
# libedit edits the lines typed at the prompt of `sql`, and remembers them.
EDIT_CFLAGS = $(shell $(PKG_CONFIG) --cflags libedit)
EDIT_LIBS = $(shell $(PKG_CONFIG) --libs libedit)
# libelf reads cores, and the build-ids of files on disk; libdw unwinds stacks.
LIBS = -lzstd -ldw -lelf $(GVC_LIBS) -lm -lpthread
# Headers of any CPython from 3.8 on do: the module keeps to the part of them that all have in common.
PYTHON_CFLAGS := $(shell $(PKG_CONFIG) --cflags python3 2>/dev/null)
# An interpreter that was not made with a sanitizer loads nothing that was.
PYTHON_MODULE := $(if $(SAN),,$(if $(PYTHON_CFLAGS),$(O)/refheap.abi3.so,no-python-headers))
# ncurses shows `browse`: it knows terminals and how to redraw little of them over a slow line; the wide one, for names.
NCURSES_CFLAGS = $(shell $(PKG_CONFIG) --cflags ncursesw)
NCURSES_LIBS = $(shell $(PKG_CONFIG) --libs ncursesw)

.PHONY: all demo test test-long test-cpython test-web test-shapes huge fuzz bench bench-capture cpython-layouts
.PHONY: check-deps deps-demo deps-test deps-long install uninstall clean samples tools deps-deb deb test-deb
.PHONY: no-python-headers deps-web deps-build
.DELETE_ON_ERROR:
.SECONDARY:
all: $(O)/refheap $(O)/librefheap.so $(O)/librefheap.a $(O)/librefheap-debug.so $(O)/librefheap-debug.a
all: $(PYTHON_MODULE) $(O)/man

# ---- programs and libraries ----

$(O)/refheap: $(analyzer_o) $(sql_o) $(report_o) $(browse_o) $(core_o) | $(O)/refheap_gdb
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(SQLITE_LIBS) $(NCURSES_LIBS) $(EDIT_LIBS)

# One relocatable object in which everything but rh_* is local, so that neither library can clash with the program. Its
# code is a section by itself: so it knows its own frames on the stack. The debug build is the same with -DRH_DEBUG.
$(O)/librefheap.o: $(lib_o) $(writer_o) $(maps_o)
$(O)/librefheap-debug.o: $(lib_debug_o) $(writer_o) $(maps_o)
$(O)/librefheap.o $(O)/librefheap-debug.o:
	$(call say,LINK,$@)
	$(Q)$(CC) -nostdlib -r -o $@ $^
	$(Q)$(OBJCOPY) --localize-hidden --rename-section .text=rh_text $@

$(O)/%.a: $(O)/%.o
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $<

$(O)/%.so.$(SOVERSION): $(O)/%.o runtime/librefheap/exports.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -Wl,-soname,$*.so.$(SOVERSION) \
		-Wl,--version-script=runtime/librefheap/exports.map -o $@ $<

$(O)/%.so: $(O)/%.so.$(SOVERSION)
	$(Q)ln -sf $(notdir $<) $@

$(O)/debug/%.o: runtime/librefheap/%.c Makefile
	$(call say,CC,'$< (debug)')
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(depends) -DRH_DEBUG -c -o $@ $<

# The module for CPython: one binary for all versions, so it is linked with no libpython. It exports its start, and what a
# debugger asks it by (asked.h).
$(O)/refheap.abi3.so: $(module_o) $(cpython_o) $(writer_o) $(maps_o)
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ -lpthread
$(module_o): BASE += $(PYTHON_CFLAGS)

no-python-headers:
	@echo "  no headers of CPython here (python3-dev): going on without the Python module"

# The GDB extension is found beside the program, built or installed.
$(O)/refheap_gdb:
	$(Q)mkdir -p $(O)
	$(Q)ln -sfn $(CURDIR)/gdb/refheap_gdb $@

$(O)/gen/crc32c_table.h: dumpfmt/make_crc32c_table.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O1 -o $(O)/gen/make_crc32c_table $<
	$(Q)$(O)/gen/make_crc32c_table > $@

$(O)/dumpfmt/crc32c.o: $(O)/gen/crc32c_table.h

# The style and the script of the report, as arrays, with the hashes by which the page allows them.
$(O)/gen/make_picture_css: $(addprefix $(O)/,analyzer/report/make_picture_css.o analyzer/render/svg.o analyzer/render/palette.o analyzer/render/picture.o \
		analyzer/render/text.o dumpfmt/error.o)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^
$(O)/gen/page.css: analyzer/report/page.css $(O)/gen/make_picture_css
	$(Q)cat $< >$@ && $(O)/gen/make_picture_css >>$@
$(O)/gen/assets.h: analyzer/report/make_assets.c $(O)/gen/page.css analyzer/report/page.js
	$(Q)$(CC) -O1 -o $(O)/gen/make_assets $<
	$(Q)$(O)/gen/make_assets page_css=$(O)/gen/page.css page_js=analyzer/report/page.js >$@

$(O)/analyzer/report/page.o: $(O)/gen/assets.h
$(O)/analyzer/render/layout.o $(O)/tests/tools/read_dot.o: BASE += $(GVC_CFLAGS)
$(sql_o) $(O)/analyzer/cmd_sql.o: BASE += $(SQLITE_CFLAGS)
$(O)/analyzer/browse/terminal.o: BASE += $(NCURSES_CFLAGS)
$(O)/analyzer/line/line_editor.o: BASE += $(EDIT_CFLAGS)

# What an object is made of holds for any name of the same folder.
depends = -MT '$$(O)/$(@:$(O)/%=%)'

$(O)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(depends) -c -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)

# Where each version of CPython keeps what, from the headers of those that are on this machine.
cpython-layouts:
	@$(PYTHON) runtime/cpython/generate/generate.py runtime/cpython/layout_tables.h

# ---- manual pages ----

# A page for every command the program lists, of what it says of itself and docs/man/refheap-COMMAND.1.md; and the others there.
$(O)/man: $(O)/refheap docs/man/make_pages.sh docs/man/page.awk $(wildcard docs/man/*.md)
	$(call say,MAN,$@)
	$(Q)sh docs/man/make_pages.sh $(O)/refheap $(VERSION) $(RELEASED) $@

# ---- samples and tools of the tests ----

samples: $(SAMPLES:%=$(O)/samples/%) $(if $(PYTHON_CFLAGS),$(O)/samples/leaky.abi3.so)
$(O)/samples/%: samples/c/%.c $(O)/librefheap.so
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O0 -g $(WARN) $(SANFLAGS) -MMD $(depends) -MF $(O)/gen/$(notdir $@).d -Wno-missing-prototypes -Idumpfmt/include \
		-Iruntime/librefheap/include -o $@ $< -L$(O) -lrefheap -Wl,-rpath,'$$ORIGIN/..'

# Programs that leak nothing, as people build them for debugging and for use.
CLEAN := $(basename $(notdir $(wildcard tests/clean/*.c)))
clean_of = $(Q)mkdir -p $(@D) && $(CC) -std=gnu11 $(1) -g $(WARN) $(SANFLAGS) -D_GNU_SOURCE -MMD $(depends) -MF $(O)/gen/$(notdir $@).d \
	-Idumpfmt/include -Iruntime/librefheap/include -o $@ $< -L$(O) -lrefheap -Wl,-rpath,'$$ORIGIN/../..' -lpthread
$(O)/tests/clean/%-O0: tests/clean/%.c $(O)/librefheap.so
	$(call say,LINK,$@)
	$(call clean_of,-O0)
$(O)/tests/clean/%-O2: tests/clean/%.c $(O)/librefheap.so
	$(call say,LINK,$@)
	$(call clean_of,-O2)

# The fuzz target is compiled with them, so that it does not rot between runs.
tools: $(CLEAN:%=$(O)/tests/clean/%-O0) $(CLEAN:%=$(O)/tests/clean/%-O2) $(TOOLS:%=$(O)/tests/tools/%) $(O)/tests/fuzz/fuzz_snapshot.o
tools: $(if $(PYTHON_CFLAGS),$(O)/tests/cpython/held.abi3.so)
$(O)/tests/tools/phases: $(session_o)
$(O)/tests/tools/embed: $(session_o) $(addprefix $(O)/analyzer/,session/names.o answers/advice.o answers/shape.o $(addprefix pictures/,image.o sketch.o sketch_cycles.o sketch_edges.o))
$(O)/tests/tools/model: $(MODEL:%=$(O)/tests/model/%.o)
$(O)/tests/tools/%: $(O)/tests/tools/%.o $(support_o) $(O)/librefheap.a $(core_o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(O)/librefheap.a $(LIBS) -lpthread

$(O)/samples/leaky.abi3.so: samples/python/leaky.c
$(O)/tests/cpython/held.abi3.so: tests/cpython/held.c
$(O)/samples/leaky.abi3.so $(O)/tests/cpython/held.abi3.so:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) -Wall -Wextra -fPIC -shared $(PYTHON_CFLAGS) -o $@ $<

unit: $(UNIT:%=$(O)/tests/unit/%)
$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(support_o) $(O)/librefheap.a $(core_o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) -o $@ $(filter %.o,$^) $(UNIT_LIBRARY) $(LIBS) -lcmocka -lpthread
UNIT_LIBRARY = $(O)/librefheap.a
$(O)/tests/unit/test_debug: UNIT_LIBRARY = $(O)/librefheap-debug.a
$(O)/tests/unit/test_debug: $(O)/librefheap-debug.a
$(O)/tests/unit/test_debug.o: BASE += -DRH_DEBUG
$(O)/tests/unit/test_memory: UNIT_LDFLAGS = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=posix_memalign

GDB_TARGETS := target values deep
$(GDB_TARGETS:%=$(O)/tests/gdb/%): $(O)/tests/gdb/%: tests/gdb/%.c $(O)/librefheap.so
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O0 -g $(WARN) $(SANFLAGS) -MMD $(depends) -MF $(O)/gen/$(notdir $@).d -Wno-missing-prototypes -Idumpfmt/include \
		-Iruntime/librefheap/include -o $@ $< -L$(O) -lrefheap -Wl,-rpath,'$$ORIGIN/../..'

# ---- what the tests and the demo need, from Debian ----

PACKAGES_BUILD := gcc libc6-dev make pkg-config libzstd-dev libgraphviz-dev libsqlite3-dev libelf-dev libdw-dev libncurses-dev libedit-dev python3-dev
PACKAGES_BUILD += fonts-dejavu-core
PACKAGES_DEMO := $(PACKAGES_BUILD) gdb
# tmux is the terminal in which the tests use `browse`. zsh and fish: completion is typed in the shells themselves. mandoc and groff-base: what readers of manual pages use has no complaint.
PACKAGES_TEST := $(PACKAGES_DEMO) g++ python3 libcmocka-dev gdbserver procps binutils zsh fish mandoc groff-base tmux

deps-build: PACKAGES = $(PACKAGES_BUILD)
deps-demo: PACKAGES = $(PACKAGES_DEMO)
deps-test: PACKAGES = $(PACKAGES_TEST)
deps-long: PACKAGES = $(PACKAGES_TEST) valgrind libigraph-dev
deps-deb: PACKAGES = $(PACKAGES_BUILD) debhelper dpkg-dev
# A browser, and what drives it, unless it is there from elsewhere.
deps-web: PACKAGES = $(PACKAGES_TEST) chromium $(if $(shell command -v npm),,nodejs npm)
deps-build deps-demo deps-test deps-long deps-deb deps-web:
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	test -z "$$missing" && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo="sudo -n"; \
	if test -z "$$sudo" || $$sudo true 2>/dev/null; then \
		echo "  INSTALL$$missing"; \
		($$sudo apt-get install -y --no-install-recommends $$missing || \
		 ($$sudo apt-get update && $$sudo apt-get install -y --no-install-recommends $$missing)) >/tmp/refheap-install.log 2>&1 || \
			{ tail -5 /tmp/refheap-install.log; exit 1; }; \
	else \
		echo "these packages are missing; run:  sudo apt-get install$$missing"; exit 1; \
	fi

demo: deps-demo
	@$(MAKE) --no-print-directory -j2 all samples
	@sh samples/demo.sh $(O)

# ---- tests ----

UNIT_TESTS = $(UNIT:%=$(O)/tests/unit/%)
PYTHON := /usr/bin/python3
export BUILD := $(abspath $(O))

# A fixed share of the long runs, within ten minutes on two cores.
test: deps-test
	@$(MAKE) --no-print-directory -j2 all samples tools unit $(GDB_TARGETS:%=$(O)/tests/gdb/%)
	@$(MAKE) --no-print-directory -j2 SAN=address,undefined O=$(O)-san samples tools unit all $(GDB_TARGETS:%=$(O)-san/tests/gdb/%)
	@$(MAKE) --no-print-directory -j2 ORDINALS=64 O=$(O)-64 all samples tools
	@$(MAKE) --no-print-directory run-tests

run-tests:
	@for t in $(UNIT_TESTS) $(UNIT_TESTS:$(O)/%=$(O)-san/%); do \
		$$t >$(O)/unit.log 2>&1 || { cat $(O)/unit.log; echo "FAILED: $$t"; exit 1; }; echo "  OK     $$t"; done
	@sh tests/cxx.sh $(O)
	@$(PYTHON) tests/run.py format cli gdb cpython
	@echo "  again, with ordinals of 64 bits, as heaps of more than 2^31 objects need them"
	@BUILD=$(abspath $(O)-64) COLLECTOR_HEAPS=100 ORACLE_SEEDS=20 PAIRS_SEEDS=20 MODEL_PROGRAMS=20 $(PYTHON) tests/run.py cli
	@echo "  again, under AddressSanitizer and UndefinedBehaviorSanitizer"
	@BUILD=$(abspath $(O)-san) HELD_TOOLS=$(abspath $(O))/tests/tools COLLECTOR_HEAPS=100 ORACLE_SEEDS=20 PAIRS_SEEDS=20 MODEL_PROGRAMS=200 $(PYTHON) tests/run.py cli
	@echo "all tests passed"

# The tests of CPython on every version from 3.8 to 3.13 that is found on PATH or below ~/.pyenv/versions.
test-cpython: all samples tools
	@cd tests/cpython && $(PYTHON) pythons.py all && CPYTHONS=all $(PYTHON) -m unittest -b

# The long runs, hours of them: twenty thousand random heaps, as many random programs beside the model, ten thousand small
# graphs by brute force and two hundred of up to two thousand objects, two thousand with what became of them, a million
# objects beside libigraph, the sanitizers over the tests, valgrind over the library's.
ORACLE_GRAPHS ?= 10000
VALGRIND = RH_MALLOC=1 valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite
test-long: deps-long test
	@cd tests/cli && COLLECTOR_HEAPS=20000 $(PYTHON) -m unittest -b test_collector
	@cd tests/cli && MODEL_PROGRAMS=20000 $(PYTHON) -m unittest -b test_model
	@cd tests/cli && ORACLE_FIRST=1000 ORACLE_SEEDS=$(ORACLE_GRAPHS) ORACLE_LARGE=200 PAIRS_SEEDS=2000 $(PYTHON) -m unittest -b test_oracle test_oracle_pairs
	@cd tests/cli && BUILD=$(abspath $(O)-san) HELD_TOOLS=$(abspath $(O))/tests/tools CAPTURES=100 CORE_DAMAGES=1000 COLLECTOR_HEAPS=1000 MODEL_PROGRAMS=10000 $(PYTHON) -m unittest -b
	@for t in $(filter-out %/test_dump %/test_debug %/test_memory %/test_snapshot %/test_sink %/test_crc32c,$(UNIT_TESTS)); do \
		$(VALGRIND) $$t >$(O)/unit.log 2>&1 || { cat $(O)/unit.log; echo "FAILED under valgrind: $$t"; exit 1; }; done
	@$(VALGRIND) $(O)/tests/tools/model 1 10000
	@$(MAKE) --no-print-directory $(O)/bench/igraph
	@$(O)/tests/tools/make_big 1000000 $(O)/big.refheap && $(O)/bench/igraph $(O)/big.refheap; status=$$?; \
		rm -f $(O)/big.refheap; exit $$status
	@echo "all long tests passed"

# What other tools make of exports, and a browser of the report; installs them from the npm registry.
export WEB := $(abspath $(O))/web
$(O)/web/node_modules: tests/web/package.json
	@mkdir -p $(O)/web && cp $< $(O)/web
	@cd $(O)/web && PUPPETEER_SKIP_DOWNLOAD=1 npm install --ignore-scripts --no-audit --no-fund --silent
	@touch $@
test-web: deps-web
	@$(MAKE) --no-print-directory -j2 all samples tools $(O)/web/node_modules
	@cd tests/web && $(PYTHON) -m unittest -b

# Heaps of ten million objects that are all of one kind.
test-shapes: all tools
	@cd tests/cli && SHAPE_OBJECTS=10000000 $(PYTHON) -m unittest -b test_shapes

# A hundred million objects, once: five gigabytes of file, eleven of memory, a few minutes.
huge: all tools
	@$(O)/tests/tools/make_big 100000000 $(O)/huge.refheap && $(O)/tests/tools/phases together $(O)/huge.refheap; \
		status=$$?; rm -f $(O)/huge.refheap; exit $$status

# Coverage-guided fuzzing of the reader and the graph (clang's libFuzzer), from the samples on.
FUZZ_SECONDS ?= 300
fuzz: samples
	@mkdir -p $(O)/fuzz/corpus
	@for s in $(SAMPLES); do $(O)/samples/$$s $(O)/fuzz/corpus/$$s >/dev/null; done
	@$(O)/refheap pack $(O)/fuzz/corpus/proxy -o $(O)/fuzz/corpus/packed >/dev/null
	$(Q)clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
		-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -DREFHEAP_VERSION='"$(VERSION)"' -I$(O)/gen -Idumpfmt/include \
		-o $(O)/fuzz/fuzz_snapshot tests/fuzz/fuzz_snapshot.c $(wildcard analyzer/graph/*.c) \
		$(DUMPFMT_WRITER:%=dumpfmt/%.c) $(DUMPFMT_READER:%=dumpfmt/%.c) -lzstd
	@cd $(O)/fuzz && ./fuzz_snapshot -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -jobs=2 -workers=2 corpus

# Beside make_shared, and GObject where libglib2.0-dev is installed.
$(O)/bench/objects: tests/bench/objects.c $(O)/librefheap.a
	$(Q)$(CC) -std=gnu11 -O2 -Idumpfmt/include -Iruntime/librefheap/include -o $@ $^
$(O)/bench/make_shared: tests/bench/make_shared.cpp
	$(Q)$(CXX) -std=c++17 -O2 -pthread -o $@ $<
$(O)/bench/gobject: tests/bench/gobject.c
	$(Q)! $(PKG_CONFIG) --exists gobject-2.0 || \
		$(CC) -std=gnu11 -O2 -o $@ $< $$($(PKG_CONFIG) --cflags --libs gobject-2.0)

# A process to be captured, and what the machine can do at best.
$(O)/bench/standing: tests/bench/standing.c $(O)/librefheap.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Idumpfmt/include -Iruntime/librefheap/include -o $@ $^
$(O)/bench/bare_copy: tests/bench/bare_copy.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -D_GNU_SOURCE -o $@ $<

# libigraph, for components and dominators: an oracle on heaps too large for brute force, and a peer.
$(O)/bench/igraph: tests/bench/igraph.c $(session_o) $(core_o)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $$($(PKG_CONFIG) --cflags igraph) -o $@ $(filter %.c %.o,$^) $$($(PKG_CONFIG) --libs igraph) $(LIBS)

BENCH_OBJECTS ?= 1000000 5000000
CAPTURE_OBJECTS ?= 1000000 10000000
bench-capture: all $(O)/bench/standing $(O)/bench/bare_copy
	@$(PYTHON) tests/bench/capture.py $(O) $(CAPTURE_OBJECTS)
bench:
	@mkdir -p $(O)/bench
	@$(MAKE) --no-print-directory -j2 all tools $(O)/bench/objects $(O)/bench/make_shared $(O)/bench/gobject
	@! $(PKG_CONFIG) --exists igraph || $(MAKE) --no-print-directory $(O)/bench/igraph
	@$(PYTHON) tests/bench/bench.py $(O) $(BENCH_OBJECTS)
	@$(PYTHON) tests/bench/analysis.py $(O)
	@$(PYTHON) tests/bench/cpython.py $(O)
	@$(MAKE) --no-print-directory bench-capture

# ---- installing ----

bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/refheap
bashdir ?= $(datadir)/bash-completion/completions
zshdir ?= $(datadir)/zsh/site-functions
fishdir ?= $(datadir)/fish/vendor_completions.d
# Where Debian's python3 looks, below /usr; below another prefix it is told by PYTHONPATH.
pythondir ?= $(PREFIX)/lib/python3/dist-packages
gdbdir = $(datadir)/refheap/gdb/refheap_gdb
# GDB loads the commands by itself when a program has the library loaded, from this folder alone: nothing is put there
# for a library that is not the system's. `refheap gdb-init` prints the line for the others.
GDB_AUTOLOAD ?= $(if $(filter /usr /usr/%,$(PREFIX)),/usr/share/gdb/auto-load)
autoloaddir = $(GDB_AUTOLOAD)$(libdir)
autoloaded = $(if $(GDB_AUTOLOAD),librefheap librefheap-debug)

# What is installed: mode, file, and place, a line each. Uninstalling goes by the same list.
define INSTALLED
755 $(O)/refheap $(bindir)/refheap
$(foreach l,librefheap librefheap-debug,
644 $(O)/$l.a $(libdir)/$l.a
644 $(O)/$l.so.$(SOVERSION) $(libdir)/$l.so.$(SOVERSION)
link $l.so.$(SOVERSION) $(libdir)/$l.so
)
644 $(O)/gen/librefheap.pc $(libdir)/pkgconfig/librefheap.pc
$(if $(SAN),,$(if $(PYTHON_CFLAGS),644 $(O)/refheap.abi3.so $(pythondir)/refheap.abi3.so))
$(foreach h,$(wildcard dumpfmt/include/refheap/*.h runtime/librefheap/include/refheap/*.h),
644 $h $(includedir)/refheap/$(notdir $h))
$(foreach p,$(wildcard gdb/refheap_gdb/*.py),
644 $p $(gdbdir)/$(notdir $p))
$(foreach l,$(autoloaded),
644 $(O)/gen/autoload.py $(autoloaddir)/$l.so.$(SOVERSION)-gdb.py)
$(foreach m,$(patsubst docs/man/%.md,%,$(wildcard docs/man/*.md)),
644 $(O)/man/$m $(mandir)/man$(patsubst .%,%,$(suffix $m))/$m)
$(foreach d,README.md dumpfmt/FORMAT.md $(wildcard docs/*.md),
644 $d $(docdir)/$(notdir $d))
$(foreach d,$(wildcard docs/pictures/*.svg),
644 $d $(docdir)/pictures/$(notdir $d))
644 packaging/completion/refheap.bash $(bashdir)/refheap
644 packaging/completion/_refheap $(zshdir)/_refheap
644 packaging/completion/refheap.fish $(fishdir)/refheap.fish
endef
list_installed = $(file >$(O)/gen/installed,$(INSTALLED))sed -i '/^ *$$/d' $(O)/gen/installed

install: all
	@sed 's,@PREFIX@,$(PREFIX),;s,@LIBDIR@,$(libdir:$(PREFIX)/%=$${prefix}/%),;s,@INCLUDEDIR@,$(includedir:$(PREFIX)/%=$${prefix}/%),;s,@VERSION@,$(VERSION),' \
		runtime/librefheap/librefheap.pc.in > $(O)/gen/librefheap.pc
	@sed 's,@LOADER@,$(gdbdir)/refheap-gdb.py,' gdb/autoload.py.in > $(O)/gen/autoload.py
	@$(list_installed)
	@umask 022; while read -r mode file place; do mkdir -p "$(DESTDIR)$${place%/*}" && rm -f "$(DESTDIR)$$place" && \
		case $$mode in link) ln -s "$$file" "$(DESTDIR)$$place";; *) install -m "$$mode" "$$file" "$(DESTDIR)$$place";; esac || exit 1; \
		done < $(O)/gen/installed
	@# Programs find a new library once the loader's cache has it: where it looks at all, and where we may.
	@test -n "$(DESTDIR)" || ! PATH=$$PATH:/sbin:/usr/sbin ldconfig -NXv 2>/dev/null | grep -q "^$(libdir):" || \
		PATH=$$PATH:/sbin:/usr/sbin ldconfig 2>/dev/null || echo "run ldconfig, so that programs find the library"
	@echo "installed in $(DESTDIR)$(PREFIX)"
	@$(if $(autoloaded),:,echo "for GDB: $(bindir)/refheap gdb-init >> ~/.gdbinit")

# Folders that are shared with others stay.
uninstall:
	@mkdir -p $(O)/gen
	@$(list_installed)
	@while read -r mode file place; do rm -f "$(DESTDIR)$$place" || exit 1; done < $(O)/gen/installed
	@rm -rf "$(DESTDIR)$(gdbdir)/__pycache__"
	@for d in $(gdbdir) $(datadir)/refheap/gdb $(datadir)/refheap $(includedir)/refheap $(docdir)/pictures $(docdir); do \
		test ! -d "$(DESTDIR)$$d" || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$d"; done

# Debian packages, in build/deb: refheap, librefheap0, librefheap-dev, python3-refheap.
deb: deps-deb
	@sh packaging/make_deb.sh $(O)/deb $(VERSION) $(RELEASED)
test-deb: deb all samples
	@cd tests/deb && DEBS=$(abspath $(O))/deb $(PYTHON) -m unittest -b

clean:
	$(Q)rm -rf build build-*
