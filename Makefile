# tinygrad_notes — what you can do here (each command sets up what it needs, in .venv):
#
#   make run          train a character LSTM on Python's own documentation, one to two minutes; ARGS="--text FILE" for yours
#   make test         all tests, about two minutes
#   make test-all     the longer tests as well: a thousand random programs against torch
#   make fuzz         random programs against torch, any number: ARGS="--count 10000 --seed 1 --keep"
#   make test-browser the explorer in chromium (apt install chromium), where `make test` skips it without one
#   make bench        the benches, against torch where it is installed; ARGS="--quick --filter matmul" for a first look
#   make bench-compare  what changed between two runs beyond noise: OLD=a.json NEW=b.json
#   make bench-check  fail where eager operations, matmul or an LSTM's memory got worse than stored; ARGS=--update stores
#   make lab          open the notebooks in JupyterLab
#   make notebooks    execute the notebooks anew, and gather their claims in docs/claims.md; ARGS=03_activations for one
#   make claims       repeat the notebooks with other seeds: in how many runs does each claim's verdict stand? (half an hour)
#   make lint         ruff and the strict type check
#   make golden       renew the golden pictures of the tests (look at them before you commit)
#   make reference    write docs/reference.md, the table of every function, anew
#   make stub         renew the type stub of the methods that Tensor is given
#   make soak         the memory test over 100,000 steps
#   make count        lines of code per layer
#   make clean        forget .venv and all caches (runs/ stays)

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
TESTS ?=

.PHONY: help run test test-all fuzz test-browser bench bench-compare bench-check lab notebooks claims lint golden reference stub soak count clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# What is installed is remembered in stamp files: a second call starts at once, a changed pyproject.toml installs again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "CPython 3.11 or newer is needed; PYTHON=python3.12 make ... chooses one"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "this Python cannot make virtual environments; on Debian: apt install python3-venv"; exit 1; }

.venv/run.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/run.stamp

.venv/bench.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.venv/lab.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[notebooks]'
	@touch $@

run: .venv/run.stamp
	$(BIN)/tinygrad-notes lm train $(ARGS)

test: .venv/test.stamp
	$(BIN)/python -m pytest -n auto $(ARGS) $(TESTS)

test-all: .venv/test.stamp
	$(BIN)/python -m pytest -n auto -m "long or not long" $(ARGS) $(TESTS)

fuzz: .venv/test.stamp
	@$(BIN)/python -c 'import torch' || { echo "the programs are compared with torch: $(BIN)/pip install torch"; exit 1; }
	cd tests && ../$(BIN)/python -m programs $(ARGS)

test-browser: .venv/test.stamp
	@command -v chromium > /dev/null || { echo "chromium is needed; on Debian: apt install chromium"; exit 1; }
	$(BIN)/python -m pytest -m browser $(ARGS)

bench: .venv/bench.stamp
	$(BIN)/python -m bench $(ARGS)

bench-compare: .venv/bench.stamp
	@$(BIN)/python -m bench.compare $(OLD) $(NEW) $(ARGS)

bench-check: .venv/bench.stamp
	$(BIN)/python -m bench.check $(ARGS)

lab: .venv/lab.stamp
	$(BIN)/jupyter lab $(ARGS) notebooks

notebooks: .venv/test.stamp
	$(BIN)/python notebooks/build.py $(ARGS)

claims: .venv/test.stamp
	$(BIN)/python notebooks/build.py --again $(ARGS)

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

golden: .venv/test.stamp
	$(BIN)/python tests/test_viz.py

reference: .venv/test.stamp
	$(BIN)/python docs/reference.py

stub: .venv/run.stamp
	$(BIN)/python -m tinygrad_notes.stubs

soak: .venv/test.stamp
	$(BIN)/python -m pytest -m soak

count:
	@for layer in kernels tinygrad_notes/*.py tinygrad_notes/ops tinygrad_notes/functions tinygrad_notes/func tinygrad_notes/nn tinygrad_notes/optim \
	  tinygrad_notes/viz tinygrad_notes/data tinygrad_notes/models tinygrad_notes/train; do \
	  printf '%6d  %s\n' "$$(find $$layer -name '*.py' | xargs cat | wc -l)" "$$layer"; done
	@printf '%6d  all\n' "$$(find kernels tinygrad_notes -name '*.py' | xargs cat | wc -l)"

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
