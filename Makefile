# The front door. PostgreSQL's part (lookalike.so) is built here by PGXS, everything else by CMake.
MODULE_big = lookalike
EXTENSION = lookalike
DATA = sql/lookalike--1.0.sql
PGFILEDESC = "lookalike - image similarity search"

OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/core/*.cpp src/pg/*.cpp src/am/*.cpp)))
REGRESS = $(patsubst sql/%.sql,%,$(sort $(filter-out sql/lookalike--%,$(wildcard sql/*.sql))))

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS = -std=c++20 -O3 -Wall -Wextra -fvisibility=hidden -MMD -MP
SHLIB_LINK = -lhwy -lstdc++ -Wl,-Bsymbolic -Wl,--exclude-libs,ALL

# PGXS would build bitcode with a clang that lacks C++20.
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
-include $(OBJS:.o=.d)
