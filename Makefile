# `make` or `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-integration test-browser test-docker bench chaos load plant fuzz simulate screenshots check fmt lint types layers lock-fresh lock schema life-cycle clean

PYTHON ?= python3
SEEDS ?= 1000
BIN := .venv/bin
READY := .venv/.ready

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: $(READY) ## create .venv with everything from requirements.lock; does nothing when nothing changed

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv from requirements.lock …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: setup ## a whole Bayar with a Midtrans look-alike, to try payments at your desk
	@$(BIN)/bayar demo

test: setup ## the whole test suite, on an embedded Postgres
	$(BIN)/python -m pytest

test-unit: setup ## the tests that need no socket
	$(BIN)/python -m pytest tests/unit

test-integration: setup ## the tests on a real Postgres, embedded
	$(BIN)/python -m pytest tests/integration

test-browser: setup ## the checkout page in Debian's Chromium, over a whole demo
	$(BIN)/python -m pytest tests/browser

# The plugin where there is one, else the program of its own.
COMPOSE = $$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

test-docker: setup ## the integration tests on a dockerized Postgres (compose.yaml)
	@compose="$(COMPOSE)"; trap "$$compose down --volumes" EXIT; \
	  $$compose up --detach postgres && \
	  for try in $$(seq 60); do $$compose exec -T postgres pg_isready -q -h 127.0.0.1 -U bayar && break; sleep 1; done && \
	  BAYAR_TEST_DATABASE_URL=postgresql://bayar:bayar@127.0.0.1:55432/bayar \
	    $(BIN)/python -m pytest tests/integration

PAYMENTS ?= 1000000
SEED ?= 1
SECONDS ?= 60
REPORT ?= .bayar/chaos

chaos: setup ## kill -9 at random under load (SEED=1 SECONDS=60 REPORT=.bayar/chaos), and see what is still true
	@PYTHONPATH=src:tests $(BIN)/python -m chaos --seed $(SEED) --seconds $(SECONDS) --report $(REPORT)

bench: setup ## the benchmarks (PARTS="growth inflight", PAYMENTS=1000000, ARGS=--json); figures and a plot in .bayar/bench
	@$(BIN)/python bench $(PARTS) --payments $(PAYMENTS) $(ARGS)

MINUTES ?= 30

load: setup ## 70 % of what the service bears, for MINUTES=30: do memory or connections grow?
	@PYTHONPATH=src:tests $(BIN)/python -m endurance --minutes $(MINUTES) $(if $(LOAD_REPORT),--report $(LOAD_REPORT))

fuzz: setup ## odd calls of the whole API for SECONDS=60 (SEED=1), then odd notifications and odd answers of Midtrans
	@PYTHONPATH=src:tests $(BIN)/python -m fuzz --seconds $(SECONDS) --seed $(SEED)
	$(BIN)/python -m pytest --quiet --hypothesis-profile=fuzz \
	  tests/unit/adapters/test_midtrans_fuzz.py tests/unit/entrypoints/test_webhook_fuzz.py

simulate: setup ## SEEDS lives in a made-up world of faults (FIRST=0; LIFE=42 prints one; ARGS=--json): is every promise kept?
	@PYTHONPATH=src:tests $(BIN)/python -m simulation --seeds $(SEEDS) \
	  $(if $(FIRST),--first $(FIRST)) $(if $(LIFE),--seed $(LIFE)) $(ARGS)

plant: setup ## plant known bugs in copies of the tree (BUG=paid-at-each-time for one): does a quick check find each?
	@PYTHONPATH=src:tests $(BIN)/python -m planted $(if $(BUG),--only $(BUG))

check: setup ## what CI runs: format, lint, types, layering, security lint, lock freshness, tests
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src
	@$(MAKE) --no-print-directory lock-fresh
	$(BIN)/python -m pytest

fmt: setup ## format the code
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix-only src tests

LOCK = $(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-header --quiet

lock: setup ## write requirements.lock anew from pyproject.toml, keeping versions that still fit
	$(LOCK) --output-file requirements.lock

lock-fresh: setup ## fail when requirements.lock does not fit pyproject.toml
	@cp requirements.lock .venv/requirements.lock
	@$(LOCK) --output-file .venv/requirements.lock
	@diff -u requirements.lock .venv/requirements.lock && echo "requirements.lock is fresh"

schema: setup ## write db/schema.sql anew, from the migrations
	PYTHONPATH=src:tests $(BIN)/python -m support.schema

screenshots: setup ## take the README's pictures of the checkout page anew
	PYTHONPATH=src:tests $(BIN)/python -m support.screenshots

life-cycle: setup ## write docs/life-cycle.md anew, from the deciding function
	PYTHONPATH=src:tests $(BIN)/python -m support.life_cycle

clean: ## remove .venv and what tools leave behind; the demo's data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
