# make demo   the whole flywheel on real data through a real broker
# make test   build, lint and all tests
# make chaos  real brokers, real workers, kill -9: DURATION=600 SEED=7 BROKERS=3 WORKERS=3 HOSTILE=0.01 UPGRADE_FROM=COMMIT (Tests/Chaos/README.md)
# make acl    nine principals with only the rights that they need, on Kafka with TLS and SASL (Tests/Acl/README.md)
# make hostile  4,000 hostile connections to the console, and the response time of health: CONNECTIONS=4000 HOSTILE_SECONDS=30 SEED=7
# make fuzz   malformed input for everything that reads input: SECONDS=60 SEED=7 (Tests/FlywheelFuzzTests/README.md)
# make sanitize  the same under the address and thread sanitizer, and undefined behaviour of the shim: SECONDS=120 SEED=7
# make s3     every fault point of versions in a bucket; the demo with versions and models on a real SeaweedFS, verified there: SEED=7
# make golden record the decisions of this build on the golden journals, after Build.version was raised (CONTRIBUTING.md)
# make symbols  public and package symbols that are unused (deploy/check_symbols.py)
# make reference  write docs/reference/configuration.md and worker.md again, from the code
# All targets install what they need: Debian packages (with sudo unless root), and a broker for tests into .venv.

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
SWIFT_FLAGS := --explicit-target-dependency-import-check error
DEMO_FLAGS ?=
DURATION ?= 600
CONNECTIONS ?= 4000
HOSTILE_SECONDS ?= 30
SECONDS ?= 60
FUZZ_FLAGS ?=
SEED ?= 7
BROKERS ?= 3
WORKERS ?= 3
HOSTILE ?= 0.01
UPGRADE_FROM ?=
CHAOS_FLAGS ?=
ACL_FLAGS ?=
GOLDEN_FLAGS ?=

.PHONY: help demo test chaos acl hostile s3 fuzz sanitize golden reference unit-test broker-test lint format symbols setup venv build release clean

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

setup:
	@deploy/setup

demo: setup release
	@.build/release/flywheel demo $(DEMO_FLAGS)

release:
	@echo "building (release)" >&2
	swift build -c release --product flywheel $(SWIFT_FLAGS) >&2

build:
	swift build --build-tests $(SWIFT_FLAGS)

lint:
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests

format:
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

symbols:
	@deploy/check_symbols.py

test: setup
	@deploy/test

chaos: setup release
	@.venv/bin/python Tests/Chaos/chaos.py --duration $(DURATION) --seed $(SEED) --brokers $(BROKERS) --workers $(WORKERS) --hostile $(HOSTILE) $(if $(UPGRADE_FROM),--upgrade-from $(UPGRADE_FROM)) $(CHAOS_FLAGS)

acl: setup release
	@.venv/bin/python Tests/Acl/acl.py --seed $(SEED) $(ACL_FLAGS)

hostile: setup release
	@.venv/bin/python Tests/Hostile/connections.py --connections $(CONNECTIONS) --seconds $(HOSTILE_SECONDS) --seed $(SEED)

s3: setup release
	@FLYWHEEL_EXHAUSTIVE=1 swift test $(SWIFT_FLAGS) --filter '^(DatasetFilesTests|MaterializerTests)\.(BucketTests|FactLogTests|KeptLabelTests|SharedStoreTests|CollectionTests|PackedStoreTests)' >&2
	.venv/bin/python Tests/S3/s3.py --seed $(SEED)

# Not optimised: assertions are checked, and traps report their line.
fuzz: setup
	@echo "building (debug)" >&2
	swift build --product flywheel $(SWIFT_FLAGS) >&2
	swift build --product flywheel-fuzz $(SWIFT_FLAGS) >&2
	.build/debug/flywheel-fuzz run --seconds $(SECONDS) --seed $(SEED) $(FUZZ_FLAGS)

sanitize: setup
	@deploy/sanitize $(SECONDS) $(SEED)

golden: setup
	@deploy/golden $(GOLDEN_FLAGS)

reference:
	@swift build --product flywheel $(SWIFT_FLAGS) >&2
	@.build/debug/flywheel config reference > docs/reference/configuration.md
	@.build/debug/flywheel config reference --worker > docs/reference/worker.md

clean:
	rm -rf .build demo-out
