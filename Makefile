# `make` lists the targets. `make run ARGS="--help"` and `make test ARGS="-k canvas"` pass arguments on.
PY := .venv/bin/python
ARGS ?=
WORKERS ?= 2
PYTEST := $(PY) -m pytest -n $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help setup run test test-all lint types lock clean clean-all

help:  ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup:  ## Make the environment (.venv) with the pinned packages; does nothing where it is up to date
	@bash scripts/setup.sh

run: setup  ## Start the page at http://127.0.0.1:7860
	@$(PY) app.py --personal $(ARGS)

test: setup  ## Run the tests, all but those marked slow
	@$(PYTEST) -m "not slow" $(ARGS)

test-all: setup  ## Run all tests
	@$(PYTEST) $(ARGS)

lint: setup  ## Check style and format (ruff)
	@$(PY) -m ruff check $(ARGS) .
	@$(PY) -m ruff format --check .

types: setup  ## Check the types (mypy)
	@$(PY) -m mypy $(ARGS)

lock:  ## Renew requirements.lock, which has the SHA-256 of every package (needs uv)
	@uv pip compile requirements.txt -c constraints.txt --universal --python-version 3.11.5 --generate-hashes --no-header -q \
		-o requirements.lock

clean:  ## Remove caches
	@rm -rf .pytest_cache .ruff_cache .mypy_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

clean-all: clean  ## Remove caches and the environment
	@rm -rf .venv
