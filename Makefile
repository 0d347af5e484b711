# One line for each thing that one does with this tree; the build itself is in meson.build.
# SPDX-License-Identifier: Apache-2.0
#
#   BUILD=dir  another build directory      T=60  seconds for each fuzz target      ROUNDS=n  of each crash test
#   make unit BUILD=build-wire SETUP=-Donly=wire    one room, what it may use, and its tests
#   BENCH="--quick"  words for tests/bench/run; --help lists them
#   PYTEST="-k name"  more words for pytest    make asan, then make e2e BUILD=build-asan: the program, sanitized

BUILD ?= build
SETUP ?=
T ?= 60
ROUNDS ?= 2000
BENCH ?=
PYTEST ?=

# Debian's own python has Debian's own pytest and Kafka clients; another one in PATH has not.
RUN_PYTEST = WAYBILL_BINARY=$(BUILD)/waybill /usr/bin/python3 -m pytest $(PYTEST)
RUN_UNIT = meson test -C $(BUILD) --print-errorlogs --no-rebuild

.PHONY: all programs demo test test-all unit scenarios e2e bench fuzz crash asan tsan ubsan lint format cover docs clean install-packages
.NOTPARALLEL:

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) waybill

# The program and all tests; configured again when the test framework has come since.
programs: $(BUILD)/build.ninja
	@grep -q tests/support $(BUILD)/build.ninja || meson setup --reconfigure $(SETUP) $(BUILD)
	ninja -C $(BUILD)

# A room that appears is a new meson.build, which an older build directory cannot know of by itself.
$(BUILD)/build.ninja: meson.build meson_options.txt $(wildcard src/*/meson.build tests/meson.build tests/*/meson.build tests/unit/*/meson.build)
	@command -v meson >/dev/null || { echo "meson is missing: run 'make install-packages'" >&2; exit 1; }
	meson setup $(if $(wildcard $@),--reconfigure,) $(SETUP) $(BUILD)

install-packages:
	tools/install-packages all

demo:
	tools/install-packages build
	$(MAKE) all
	tools/demo

test:
	tools/install-packages test
	$(MAKE) programs
	$(RUN_UNIT) --suite unit --suite corpus
	WAYBILL_BINARY=$(BUILD)/waybill tests/scenarios/run
	$(RUN_PYTEST) tests/tools tests/e2e

unit: programs
	$(RUN_UNIT) --suite unit --suite corpus

e2e: programs
	$(RUN_PYTEST) tests/e2e

scenarios: all
	tools/install-packages test
	WAYBILL_BINARY=$(BUILD)/waybill tests/scenarios/run $(SCENARIOS)

test-all: asan tsan lint
	$(MAKE) fuzz crash
	$(MAKE) test PYTEST="-m 'not crash'"

bench: programs
	tools/install-packages bench
	WAYBILL_BINARY=$(BUILD)/waybill tests/bench/run $(BENCH)

fuzz:
	tools/install-packages fuzz
	tools/fuzz $(T)

crash: programs
	WAYBILL_CRASH_ROUNDS=$(ROUNDS) $(RUN_UNIT) --suite crash --timeout-multiplier 0 --verbose
	WAYBILL_CRASH_ROUNDS=$(ROUNDS) $(RUN_PYTEST) -m crash tests/e2e

asan:
	$(MAKE) unit BUILD=build-asan SETUP="-Db_sanitize=address,undefined"

tsan:
	$(MAKE) unit BUILD=build-tsan SETUP="-Db_sanitize=thread"

ubsan:
	$(MAKE) unit BUILD=build-ubsan SETUP="-Db_sanitize=undefined"

lint:
	tools/install-packages lint
	tools/lint

format:
	tools/install-packages lint
	find src tests -name '*.[ch]' -exec clang-format -i {} +

cover:
	tools/install-packages cover
	$(MAKE) unit BUILD=build-cover SETUP="-Db_coverage=true -Doptimization=0"
	gcovr --root . --filter src/ --object-directory build-cover --print-summary

docs: all
	tools/check-rooms --picture > docs/rooms.md
	$(BUILD)/waybill check --explain --markdown > docs/configuration.md

clean:
	rm -rf build build-asan build-tsan build-ubsan build-cover build-fuzz build-lint
