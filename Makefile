# Everything a stranger needs: `make demo` and `make test` set up what they need by themselves.
#   PYTHON=python3.12 make demo    chooses another Python (3.11 or newer)
#   TORCH=cpu make demo            chooses a build of torch (cpu or cuda, on Linux); without it: cuda where an NVIDIA driver is loaded

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q

.PHONY: help demo test test-fast test-long test-oldest lint format bench bench-kick train-kick train-tempo setup setup-dev
.PHONY: setup-test clean

help:
	@echo "make demo    play the bundled song in a window (or export demo.mp4 where there is no display)"
	@echo "make test    run every test but the long ones, with real windows and real sound devices"
	@echo "make test-fast   run what needs neither screen nor sound server, in under two minutes"
	@echo "make test-long   run what is long by nature: before a release"
	@echo "make lint    ruff and mypy"
	@echo "make bench   measure, and print the table of figures"
	@echo "make bench-kick   score what is heard of kick and beat"
	@echo "make train-kick, make train-tempo   train their networks anew"
	@echo "make test-oldest   test-fast with the oldest versions that pyproject.toml allows"
	@echo "make setup   only set up: system packages and .venv"
	@echo "PYTHON=python3.13 and TORCH=cpu or TORCH=cuda before any of them choose a Python and a build of torch"

demo: setup
	$(BIN)/visualizer demo

# First what needs no server or screen, then what happens in real time: each of two workers has a sound server and a screen of its own.
test: setup-test
	$(PYTEST) -m "not long and not realtime" -n 2 --durations=40
	$(PYTEST) -m "not long and realtime" -n 2 --dist loadfile --durations=40

test-fast: setup-test
	$(PYTEST) -m "not long and not realtime and not slow" -n 2

test-long: setup-test
	$(PYTEST) -m long --durations=0

test-oldest:
	@sh tools/setup.sh oldest
	.venv-oldest/bin/python -m pytest -q -m "not long and not realtime and not slow" -n 2

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test
	$(BIN)/python -m benchmarks

bench-kick: setup-test
	$(BIN)/python -m benchmarks.kick
	$(BIN)/python -m benchmarks.tempo

train-kick: setup-dev
	$(BIN)/python tools/train_kick.py

train-tempo: setup-dev
	$(BIN)/python tools/train_tempo.py

setup:
	@sh tools/setup.sh run

setup-dev:
	@sh tools/setup.sh dev

setup-test:
	@sh tools/setup.sh test

clean:
	rm -rf .venv .venv-oldest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
