# make demo   the whole flywheel on real data through a real broker
# make test   build, lint and all tests
# Both install what they need: Debian packages (with sudo when not root), and a broker for tests into .venv.

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
SWIFT_FLAGS := --explicit-target-dependency-import-check error
DEMO_FLAGS ?=

.PHONY: help demo test unit-test broker-test lint format setup venv build release clean

help:
	@sed -n '1,3p' Makefile | sed 's/^# //'

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

test: setup
	@deploy/test

clean:
	rm -rf .build demo-out
