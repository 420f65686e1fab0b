# Python 3.11 and make are all a fresh machine needs: the rest comes into .venv, nothing is installed beside it
# (but Chromium for the browser tests, where it is missing and apt-get may be used).
SHELL := /bin/sh
BIN := .venv/bin
PY := $(BIN)/python
PORT ?= 8000
# On two cores the third fills the pauses of the others.
WORKERS ?= 3
ARGS ?=
TEMPLATES := $(wildcard templates $(wildcard */templates) $(wildcard */*/templates))
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# What takes no tests; the first takes longest.
CHECKS := types lint contracts migrations-check templates-check static-check

# What Django's settings insist on where nothing is served: the type checker and makemigrations.
CHECKS_ENVIRONMENT := DJANGO_SETTINGS_MODULE=tests.settings SECRET_KEY=only-for-checks-only-for-checks-only-for-checks-1234

# Where bytecode is not wanted beside the sources it goes into a folder: without any, each of the many processes of a test
# run would compile all that it imports, two seconds each time.
ifneq ($(PYTHONDONTWRITEBYTECODE),)
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.pycache
endif

export PORT
.DEFAULT_GOAL := help
ifndef AT_ONCE
.NOTPARALLEL:
endif
.PHONY: help run test lint format types contracts migrations-check templates-check pytest unit static-check \
	lock bench clean environment environment-dev

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: environment ## start everything on PORT (8000): database, broker, demo tenant, worker, web; Ctrl-C stops it
	@$(PY) -m sandbox.run

test: environment-dev ## everything that decides whether a change lands
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target AT_ONCE=1 $(CHECKS)
	@$(MAKE) --no-print-directory pytest

lint: environment-dev ## ruff: rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: environment-dev ## write the layout that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: environment-dev ## mypy, strict, with Django's models
	$(CHECKS_ENVIRONMENT) $(BIN)/mypy

contracts: environment-dev ## import-linter: who may import whom
	$(BIN)/lint-imports --no-logo

migrations-check: environment-dev ## no model change without its migration
	$(CHECKS_ENVIRONMENT) DJANGO_SETTINGS_MODULE=config.settings \
		$(PY) -m sandbox.temporary $(PY) manage.py makemigrations --check --dry-run

templates-check: environment-dev ## djlint: rules of the templates (its layout would add spaces inside inline elements)
	$(if $(TEMPLATES),$(BIN)/djlint --profile django --lint $(TEMPLATES))

pytest: environment-dev ## every test, in random order, on WORKERS (3) processes; ARGS go to pytest
	chromium=$$(sandbox/chromium.sh) && CHROMIUM=$$chromium $(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

unit: environment-dev ## some tests, in one process: make unit ARGS="tests/sandbox -k postgres"
	$(PY) -m pytest $(ARGS)

static-check: environment-dev ## the committed CSS and scripts are what assets/ builds
	$(PY) assets/build.py --check

lock: environment ## resolve pyproject.toml into the two lock files; ARGS=--upgrade takes newer releases
	@PATH="$$PATH:$(BIN)" uv --version >/dev/null 2>&1 || $(PY) -m pip install --quiet uv
	PATH="$$PATH:$(BIN)" uv pip compile pyproject.toml --group demo $(LOCK_OPTIONS) $(ARGS) -o requirements.lock
	PATH="$$PATH:$(BIN)" uv pip compile pyproject.toml --group dev -c requirements.lock $(LOCK_OPTIONS) $(ARGS) -o requirements-dev.lock

bench: environment-dev ## measure; ARGS go to the benchmark
	$(PY) -m bench $(ARGS)

clean: ## remove what tools left behind; the state in var/ and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .pycache staticfiles test-results
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

environment:
	@sandbox/environment.sh requirements.lock

environment-dev:
	@sandbox/environment.sh requirements-dev.lock
