# What a user and a developer type. `make` alone lists it.

PORT ?= 8000
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -n auto --maxschedchunk 1
RUN_DEPS := $(VENV)/.base-installed
DEV_DEPS := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help run demo test check format bench docs screenshots lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

# Without Debian's python3-venv it ends half-way, and what is left would pass for installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("The portal needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_DEPS): requirements/base.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(DEV_DEPS): requirements/dev.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@ $(RUN_DEPS)

run: $(RUN_DEPS) ## install and start the portal on SQLite (PORT=8000); Ctrl-C stops it
	@$(PY) manage.py up --port $(PORT)

demo: $(RUN_DEPS) ## the same, filled with a made-up fleet of 40 domains
	@DEMO=true DATA_DIR=$${DATA_DIR:-data/demo} $(PY) manage.py up --port $(PORT)

test: $(DEV_DEPS) ## all tests on SQLite, and on PostgreSQL and Redis where TEST_DATABASE_URL and TEST_REDIS_URL are set
	env -u TEST_DATABASE_URL -u TEST_REDIS_URL $(PYTEST)
	@if [ -n "$$TEST_DATABASE_URL$$TEST_REDIS_URL" ]; then \
		echo "Again on the services of TEST_DATABASE_URL and TEST_REDIS_URL:"; \
		$(PY) -m tests.services && $(PYTEST) -m "not browser" --ignore=tests/mailtls --ignore=tests/prober; \
	else \
		echo "TEST_DATABASE_URL and TEST_REDIS_URL are not set: not run on PostgreSQL and Redis."; \
	fi

check: $(DEV_DEPS) ## format, lint, types, import contracts, the quick tests: before each commit
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/lint-imports --no-logo > $(VENV)/lint-imports.log || (cat $(VENV)/lint-imports.log; exit 1)
	$(VENV)/bin/mypy
	$(PY) manage.py makemigrations --check --dry-run --verbosity 0
	env -u TEST_DATABASE_URL -u TEST_REDIS_URL $(PYTEST) -m "not browser and not whole and not thorough"

format: $(DEV_DEPS) ## let ruff put the code into shape
	$(VENV)/bin/ruff format --quiet .
	$(VENV)/bin/ruff check --quiet --fix .

bench: $(DEV_DEPS) ## measure speed and memory; prints one table
	$(PY) -m bench

docs: $(DEV_DEPS) ## render docs/settings.md and .env.example from the declared settings
	$(PY) manage.py settingsdocs --write

screenshots: $(DEV_DEPS) ## take the pictures of the docs again, from the demo, in a Chromium
	$(PY) -m tests.browser.screenshots docs/images --docs

lock: ## pin the dependencies of pyproject.toml again (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		pyproject.toml -o requirements/base.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--constraint requirements/base.txt pyproject.toml --extra dev -o requirements/dev.txt

clean: ## remove what was installed and cached; keeps data/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
