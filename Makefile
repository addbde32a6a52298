# Every command of a developer's day. `make` alone prints them; ARGS="…" is handed on to the program that runs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

python := .venv/bin/python
UV := uv==0.13.9
compile = .venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(ARGS)
ARGS ?=

.PHONY: help setup everything up test test-tools lint format cover torture bench lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install everything into .venv and node_modules; quick when nothing has changed
	@scripts/set-up

everything: setup
	@scripts/set-up everything

up: setup ## set up, then serve until Ctrl-C
	@exec .venv/bin/linarite up $(ARGS)

test: everything test-tools lint ## set up, then lint, then run every test
	@$(python) -m pytest -n auto $(ARGS)

test-tools:
	@scripts/test-tools

lint: everything ## check style and types
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -m mypy

format: setup ## rewrite what can be rewritten: imports, layout, simple findings
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

cover: everything test-tools ## run every test and hold branch coverage to its floor
	@$(python) -m pytest -n auto --cov --cov-report=term $(ARGS)

torture: everything test-tools ## kill -9, full disks, lost databases: the tests that take minutes
	@$(python) -m pytest -m torture --timeout=1800 $(ARGS)

bench: setup ## measure the server beside a constant answer and its peers; ARGS=--quick for a look
	@.venv/bin/linarite bench $(ARGS)

lock: $(python) ## write both lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@$(python) -m pip install --quiet --quiet $(UV)
	@$(compile) --extra test --output-file requirements.lock pyproject.toml
	@$(compile) --extra notebook --constraint requirements.lock --output-file requirements-notebook.lock pyproject.toml
	@for lock in requirements*.lock; do echo "$$lock names $$(grep -c == "$$lock") packages."; done

$(python):
	@scripts/make-venv

clean: ## remove all that these commands have made
	rm -rf .venv node_modules tests/node/node_modules dist .coverage* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +
