# The commands of the project; CI runs these and nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Two workers more than processors, because many tests wait.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.DEFAULT_GOAL := help
.PHONY: help install run psql machines-api unit test record newest matrix big against check docs image sbom site screenshots docs-serve bench fleet soak clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

$(STAMP): pyproject.toml healthd/_version.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(STAMP) ## install healthd, its embedded PostgreSQL and the development tools into .venv

run: install ## the main command: embedded PostgreSQL, migrations, daemon, page
	@exec $(BIN)/healthd up

psql: install ## run SQL from standard input, or open a prompt, on the database of `make run`
	@exec $(BIN)/python -m healthd.postgres.embedded psql

machines-api: install ## start the example application on the database of `make run`; http://127.0.0.1:8000
	@exec $(BIN)/python -m examples.machines_api $(ARGS)

unit: install ## run the tests that need no server and no process, in seconds
	$(BIN)/python -m pytest -q -n auto --dist worksteal tests/unit $(ARGS)

test: install ## run the entire test suite, on all processors
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

newest: install ## run a share of the tests on Debian's newest PostgreSQL, if it is installed
	$(BIN)/python tests/support/matrix.py newest -n auto --dist worksteal $(ARGS)

matrix: install ## run the tests that read a database, on PostgreSQL 13 to 18 and Debian's newest; MAJORS="13 18" for some
	$(BIN)/python tests/support/matrix.py $(MAJORS) $(ARGS)

record: install ## record what pg_dump prints after each statement of tests/ddl
	$(BIN)/python tests/ddl/record.py

big: install ## apply, roll back and apply again a folder of 300 migrations; takes minutes
	HEALTHD_AREAS=14 $(BIN)/python -m pytest tests/integration/migrations/test_big.py $(ARGS)

against: install ## compare healthd with pg_dump for any SQL, statement by statement; FILES="a.sql b.sql"
	@PYTHONPATH=tests:tests/support $(BIN)/python tests/against.py $(FILES)

check: install ## run ruff and mypy, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install ## measure durations, as ratios in one run (docs/performance.md)
	$(BIN)/python bench/rounds.py $(TABLES)
	$(BIN)/python bench/status.py

fleet: install ## measure a daemon with 500 databases on one server, and one with 1,000 targets; takes minutes
	$(BIN)/python bench/fleet.py $(SIZES)

soak: install ## let a daemon with 50 targets bear random faults for 30 minutes; ARGS="--minutes 5 --seed 7"
	@PYTHONPATH=.:tests:tests/support $(BIN)/python -m soak $(ARGS)

docs: install ## write the pages of docs/ that the code knows: reference, runbook, lint rules
	$(BIN)/python -m docs.generate

image: ## build the container image healthd:VERSION with docker or podman; PLATFORMS=linux/amd64,linux/arm64 for both
	@PLATFORMS="$(PLATFORMS)" container/image.sh $(ARGS)

sbom: install ## write the list of what the image contains, in dist/healthd.cdx.json (CycloneDX)
	@PYTHON=$(BIN)/python container/install.sh dist/image
	@CYCLONEDX=$(BIN)/cyclonedx-py container/sbom.sh dist/image dist/healthd.cdx.json
	@echo dist/healthd.cdx.json

site: install ## docs/ as a site in dist/site, with warnings as errors; it needs no network
	@rm -rf dist/site
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --fresh-env --builder html --doctree-dir dist/doctrees docs dist/site

screenshots: install ## take the pictures of the README again; needs Chromium
	$(BIN)/python docs/screenshots.py

docs-serve: site ## the site on http://127.0.0.1:8899, until Ctrl-C
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory dist/site 8899

clean: ## remove the environment and the caches, keep the data of `make run`
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
