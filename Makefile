# winsock2emu: what a developer calls. Plain `make` is what has to pass before a change is shown.
#
#   make PYTHON=/path/python3.13 test    another interpreter; .venv is rebuilt when its version differs
#   make conformance ARGS='...'          arguments for the command behind conformance and bench

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
RECORD ?= conformance/recorded/wine-8.0.json
WINSOCK2EMU_REFERENCE ?= ../shared/reference

# An interpreter named on the command line or in the environment is an order: a .venv of another version goes.
# Without one, the .venv that is there is good enough.
ifneq ($(origin PYTHON),file)
VERSION := 'import sys; print(sys.implementation.name, *sys.version_info[:3])'
WANTED := $(shell $(PYTHON) -c $(VERSION))
ifeq ($(WANTED),)
$(error PYTHON=$(PYTHON) does not run)
endif
PRESENT := $(shell test -x $(BIN)/python && $(BIN)/python -c $(VERSION))
ifneq ($(WANTED),$(PRESENT))
REBUILD := rebuild
endif
endif

.DELETE_ON_ERROR:
.PHONY: all demo test check conformance oracle hunt bench cpython pywin32 trio twisted soak cover defs clean rebuild

all: check test conformance

$(READY): pyproject.toml $(REBUILD)
	@$(if $(REBUILD),rm -rf $(VENV))
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/winsock2emu run conformance/programs/echo.py
	$(BIN)/winsock2emu conformance

test: $(READY)
	$(BIN)/pytest -n auto

# Types are checked for the oldest supported Python, whichever one runs the checker.
check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict --python-version 3.11
	$(BIN)/mypy --strict --python-version 3.11 --platform win32 conformance/programs/*.py

conformance: $(READY)
	$(BIN)/winsock2emu conformance $(ARGS)

# Every case on the emulator and on Wine: who agrees, and why not where they do not; the record is taken anew, and pages
# are in build/oracle. Installs nothing: without Wine and its compiler it says which packages are missing. What passes on
# Wine does so within a second; 10 seconds are for what hangs there.
oracle: $(READY)
	@mkdir -p build
	$(BIN)/winsock2emu conformance --target emulator --target wine -j 2 --timeout 10 --record $(RECORD) \
		--html build/oracle --summary build/oracle.md $(ARGS)

# 20 000 random sequences of calls on the emulator and on Wine: where they differ and nobody knows why.
hunt: $(READY)
	$(BIN)/winsock2emu conformance hunt --sequences 20000 -j 2 $(ARGS)

# Results go to build/bench.json.
bench: $(READY)
	@mkdir -p build
	$(BIN)/python -m tests.bench.run $(ARGS)

# CPython's own tests of asyncio on the emulator's loops, and of its socket modules on the emulator's;
# ARGS='--python PATH ...' for other interpreters.
cpython: $(READY)
	$(BIN)/python -m tests.cpython.run $(ARGS)
	$(BIN)/python -m tests.cpython.faces $(ARGS)

# pywin32's own tests, out of its wheel, on the emulator's faces of its modules.
pywin32: $(READY)
	$(BIN)/python -m tests.pywin32.run $(ARGS)

# trio's own tests on its I/O manager for Windows.
trio: $(READY)
	$(BIN)/python -m tests.trio.run $(ARGS)

# Twisted's own tests on its three reactors for Windows; ARGS='--reactor iocp' for one of them.
twisted: $(READY)
	$(BIN)/python -m tests.twisted.run $(ARGS)

# Two minutes for each mechanism of the host that readiness comes from.
soak: $(READY)
	WINSOCK2EMU_SOAK_SECONDS=$${WINSOCK2EMU_SOAK_SECONDS:-120} $(BIN)/pytest tests/soak

# One process: threads are measured, worker processes would not be.
cover: $(READY)
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

defs: $(READY)
	$(BIN)/python -m winsock2emu.defs.generate $(WINSOCK2EMU_REFERENCE)

clean:
	rm -rf build dist *.egg-info .coverage .coverage.* .hypothesis .benchmarks .pytest_cache .mypy_cache .ruff_cache
	find winsock2emu conformance tests -name __pycache__ -type d -prune -exec rm -rf {} +
