# The name is taken as it was typed, and travels in the environment: no shell or make reads it as code.
unexport DIR
export FAM_WATCH_DIR := $(value DIR)
ARGS =

help:
	@echo 'make watch DIR=<a directory>   tell what happens to the files in it, until ^C'
	@echo 'make test [ARGS=-x]            run all tests; ARGS go to pytest'
	@echo 'make soak [SECONDS=600]        hold what monitors are told against the disk for so long'
	@echo 'make check                     ruff, mypy --strict, import-linter, the docs without a warning'
	@echo 'make docs                      build the documentation as HTML, in .cache/docs/html'
	@echo 'make bench [QUICK=1]           measure beside other watchers; ARGS go to python -m benchmarks'
	@echo 'make clean                     remove the environment, caches and builds'
	@echo 'The environment, .venv, is made as needed; PYTHON=<path> picks its interpreter.'

watch:
	@test -n "$$FAM_WATCH_DIR" || { echo 'make watch: which directory? make watch DIR=<a directory>' >&2; exit 2; }
	@scripts/setup run
	@exec .venv/bin/fam watch -- "$$FAM_WATCH_DIR"

test: .venv
	.venv/bin/pytest $(ARGS)

soak: SECONDS = 600
soak: .venv
	FAM_SOAK=$(SECONDS) .venv/bin/pytest tests/test_oracle.py tests/test_interleaved.py $(ARGS)

# Python has kqueue elsewhere, and mypy knows what it has there.
FOR_BSD = examples/fam_kqueue/fam_kqueue/__init__.py famcore/monitor/poller.py

# Tests may leave types out.
LENIENT = --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls --no-check-untyped-defs

check: .venv
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/mypy --platform freebsd $(FOR_BSD)
	.venv/bin/mypy --platform darwin $(FOR_BSD)
	.venv/bin/mypy $(LENIENT) --explicit-package-bases conftest.py tests plugins/*/tests examples/*/tests
	.venv/bin/lint-imports --cache-dir .cache/import-linter
	$(MAKE) --no-print-directory docs

docs: .venv
	.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky \
		--doctree-dir .cache/docs/doctrees docs .cache/docs/html
	@echo 'docs: .cache/docs/html/index.html'

bench: .venv-bench/made
	.venv-bench/bin/python -m benchmarks $(if $(QUICK),--quick) $(ARGS)

# The peers are kept out of .venv, whose interpreter is taken. Made again with it, or when a requirement changes.
.venv-bench/made: .venv/made.in benchmarks/requirements.txt constraints.txt pyproject.toml plugins/fam_inotify/pyproject.toml
	.venv/bin/python -m venv --clear .venv-bench
	PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-bench/bin/python -m pip install -qq \
		-r benchmarks/requirements.txt -e ".[cli]" -e plugins/fam_inotify
	touch $@

# Its age says when .venv was made; refreshing .venv leaves it.
.venv/made.in: always
	@scripts/setup run

always:

.venv:
	@scripts/setup dev

clean:
	rm -rf .venv .venv-bench .cache .hypothesis build dist *.egg-info
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help watch test soak check docs bench always .venv clean
