# Every command works from a fresh clone and needs only make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help setup up test check analyse bench fmt clean lock
MAKEFLAGS += --no-print-directory
# Always "python -m": script files inside .venv break in folders whose names have spaces.
PY := .venv/bin/python

help: ## Show this list
	@echo "Video Factory OS"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from the lock files (runs by itself when needed)
	@.ci/setup run

up: setup ## Start everything; the first start also makes a sample film
	@exec ./vfos up

test: ## Set up and run every check and every test, browser included
	@.ci/setup dev
	@.ci/browser
	@$(MAKE) analyse
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: analyse ## Style, types, import contracts, migrations, translations
	$(PY) -m pytest -p no:cacheprovider tests/app/test_i18n.py
	@echo "All checks passed."

# What the tests do not look at themselves.
analyse:
	@.ci/setup dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
	$(PY) -m app migrate --check

bench: ## Measure speed, memory and film quality
	@.ci/setup dev
	$(PY) -m benchmarks

fmt: ## Format the code and fix what can be fixed
	@.ci/setup dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean: ## Remove .venv and caches; never touches data under var/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

lock: ## Resolve dependencies anew into the hash-locked files
	@.ci/setup dev
	$(PY) -m uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml -o requirements.lock
	$(PY) -m uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	echo uv | $(PY) -m uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade - -o requirements-bootstrap.lock
