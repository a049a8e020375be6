# The front door. PostgreSQL's part (lookalike.so) is built here by PGXS, everything else by CMake.
# docs/DEVELOPING.md lists the targets.
MODULE_big = lookalike
EXTENSION = lookalike lookalike_pgvector
DATA = sql/lookalike--1.0.sql sql/lookalike_pgvector--1.0.sql
PGFILEDESC = "lookalike - image similarity search"

# What the server loads; folders hold one level of further folders.
LOADED = $(foreach layer,core pg am inspect,src/$(layer)/*.cpp src/$(layer)/*/*.cpp)
OBJS := $(patsubst %.cpp,%.o,$(sort src/module.cpp $(wildcard $(LOADED))))
REGRESS_OPTS += --load-extension=lookalike
REGRESS := $(patsubst sql/%.sql,%,$(sort $(filter-out sql/lookalike--% sql/lookalike_pgvector--%,$(wildcard sql/*.sql))))
ISOLATION := $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = $(REGRESS_OPTS) --inputdir=test/isolation --outputdir=build/isolation

# Programs that CMake builds and an installation needs; none until their sources exist.
WORKER = $(if $(wildcard src/worker/main.cpp),lookalike-worker)
CLIENT = $(if $(wildcard src/tools/main.cpp),lookalike)

# WERROR=1 turns warnings into errors, here and in CMake.
WARNINGS_ARE_ERRORS = $(filter-out 0,$(WERROR))

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) \
    '-DPGDLLEXPORT=__attribute__((visibility("default")))'
# A sum is the same on every processor: nothing is fused that the code does not fuse.
PG_CXXFLAGS = -std=c++20 -O3 -ffp-contract=off -Wall -Wextra $(if $(WARNINGS_ARE_ERRORS),-Werror) \
    -fvisibility=hidden -MMD -MP
SHLIB_LINK = -lhwy -lstdc++ -Wl,-Bsymbolic -Wl,--exclude-libs,ALL
EXTRA_CLEAN = build/cmake build/sanitized build/fuzz build/bench build/isolation build/regress \
    build/flags $(OBJS:.o=.d)

# PGXS would build bitcode with a clang that lacks C++20.
override with_llvm = no

# pg_config may be there without it: Debian has that in libpq-dev.
PGXS := $(wildcard $(shell command -v $(PG_CONFIG) > /dev/null && $(PG_CONFIG) --pgxs))
ifneq ($(PGXS),)
include $(PGXS)
-include $(OBJS:.o=.d)

# Objects stay between builds, so a change of flags or of the server has to rebuild them.
$(OBJS): build/flags
build/flags: FORCE
	@mkdir -p build
	@echo '$(WARNINGS_ARE_ERRORS) $(VERSION)' | cmp -s - $@ || \
	    echo '$(WARNINGS_ARE_ERRORS) $(VERSION)' > $@

# Everything that the extension's users run is part of "make" and "make install".
ifneq ($(WORKER)$(CLIENT),)
all: programs
install: install-programs
endif
programs: build/cmake/Makefile
	+$(MAKE) --no-print-directory -C build/cmake $(or $(strip $(WORKER) $(CLIENT)),core)
install-programs: programs installdirs
	$(if $(WORKER),$(INSTALL_PROGRAM) build/cmake/$(WORKER) '$(DESTDIR)$(pkglibdir)/')
	$(if $(CLIENT),$(MKDIR_P) '$(DESTDIR)$(bindir)')
	$(if $(CLIENT),$(INSTALL_PROGRAM) build/cmake/$(CLIENT) '$(DESTDIR)$(bindir)/')
uninstall: uninstall-programs
uninstall-programs:
	rm -f '$(DESTDIR)$(pkglibdir)/lookalike-worker' '$(DESTDIR)$(bindir)/lookalike'

build/cmake/Makefile: FORCE
	@cmake -S . -B build/cmake -G 'Unix Makefiles' --log-level=WARNING \
	    -DLOOKALIKE_WERROR=$(if $(WARNINGS_ARE_ERRORS),ON,OFF)
# After the programs: two makes at a time would spoil each other's files in build/cmake.
unit-tests: programs
	+$(MAKE) --no-print-directory -C build/cmake tests
else
all install installcheck clean:
	@echo '"$(PG_CONFIG)" was not found, or no PGXS where it says: run "make deps", or name it with PG_CONFIG=...' >&2; exit 1
endif

# What follows works on a bare machine: packages first, then a second make that can see PGXS.
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
deps:
	@test/harness/deps
# "make -n" runs what has $(MAKE) in it, too: then it is to be shown only.
SHOW_ONLY = $(if $(findstring n,$(firstword -$(MAKEFLAGS))),echo)
demo test fuzz bench-data bench: deps
	+@$(SHOW_ONLY) env RUN_MAKE='$(MAKE) --no-print-directory $(PARALLEL)' test/harness/$@
bench-growth bench-scale: deps
	+@$(SHOW_ONLY) env RUN_MAKE='$(MAKE) --no-print-directory $(PARALLEL)' test/bench/$(@:bench-%=%)
# The tests that kill the server, write concurrently and damage pages, alone and for longer.
crash: export LOOKALIKE_CRASHES = 40
crash: export LOOKALIKE_SECONDS = 60
crash: export LOOKALIKE_CORRUPTIONS = 200
crash: export STAGE_SECONDS = 3600
crash: export TAP = $(addprefix t/,$(notdir $(wildcard $(addprefix test/t/,023* 024* 026* 030* 082* 083* 084*))))
crash: test
demo-stop:
	@test/harness/cluster stop demo

.PHONY: all install installcheck clean programs install-programs uninstall-programs unit-tests \
    deps demo demo-stop test crash fuzz bench-data bench bench-growth bench-scale FORCE
.DEFAULT_GOAL = all
