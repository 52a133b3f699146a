# Every target sets up what it needs. `make help` lists them.
#   PYTHON=python3.12 make demo    uses another Python (3.11 or newer)
#   TORCH=cpu make demo            installs another build of torch (cpu or cuda, on Linux); by default cuda if an NVIDIA driver is loaded

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q

.PHONY: help demo test test-fast test-long test-oldest lint format bench bench-kick train-kick train-tempo setup setup-dev
.PHONY: setup-test clean

help:
	@echo "make demo         show a journey with the bundled song in a window (without a display: export demo.mp4)"
	@echo "make test         run all tests but the long ones, with real windows and sound devices"
	@echo "make test-fast    run the tests that need neither screen nor sound server, in under two minutes"
	@echo "make test-long    run the long tests, before a release"
	@echo "make test-oldest  run test-fast with the oldest package versions that pyproject.toml allows"
	@echo "make lint         run ruff and mypy; make format: format the code"
	@echo "make bench        measure, and print the table of figures"
	@echo "make bench-kick   measure the detection of kicks and beats; FOLDERS=\"A B\": also of annotated sound in these"
	@echo "make train-kick   train the kick networks again; make train-tempo: the tempo network"
	@echo "make setup        install system packages, and Python packages into .venv"
	@echo "make clean        remove .venv and everything that was built"
	@echo "Set PYTHON=python3.13, or TORCH=cpu or TORCH=cuda, to use another Python or build of torch."

demo: setup
	$(BIN)/visualizer demo

# First the tests that need no server or screen, then those that do: each worker has its own sound server and screen, and
# they mostly wait.
test: setup-test
	$(PYTEST) -m "not long and not realtime" -n 2 --durations=40
	$(PYTEST) -m "not long and realtime" -n 3 --dist loadfile --no-loadscope-reorder --durations=40

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
	$(BIN)/python -m benchmarks.kick --ahead $(if $(BASS),--bass $(BASS)) $(FOLDERS)
	$(BIN)/python -m benchmarks.tempo $(FOLDERS)

train-kick: setup-dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt tinysoundfont
	$(BIN)/python tools/train_kick.py --lessons build/lessons --lessons-only
	$(BIN)/python tools/train_ahead.py --lessons build/lessons
	$(BIN)/python tools/train_kick.py --lessons build/lessons

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
