# The name is taken as it was typed, and travels in the environment: no shell or make reads it as code.
unexport DIR
export FAM_WATCH_DIR := $(value DIR)
ARGS =

help:
	@echo 'make watch DIR=<a directory>   tell what happens to the files in it, until ^C'
	@echo 'make test [ARGS=-x]            run all tests; ARGS go to pytest'
	@echo 'make check                     ruff, mypy --strict, import-linter'
	@echo 'make clean                     remove the environment, caches and builds'
	@echo 'The environment, .venv, is made as needed; PYTHON=<path> picks its interpreter.'

watch:
	@test -n "$$FAM_WATCH_DIR" || { echo 'make watch: which directory? make watch DIR=<a directory>' >&2; exit 2; }
	@scripts/setup run
	@exec .venv/bin/fam watch -- "$$FAM_WATCH_DIR"

test: .venv
	.venv/bin/pytest $(ARGS)

# Tests may leave types out.
LENIENT = --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls --no-check-untyped-defs

check: .venv
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/mypy $(LENIENT) --explicit-package-bases tests plugins/*/tests
	.venv/bin/lint-imports --cache-dir .cache/import-linter

.venv:
	@scripts/setup dev

clean:
	rm -rf .venv .cache .hypothesis build dist *.egg-info
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help watch test check .venv clean
