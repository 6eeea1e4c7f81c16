# Nhịp Số. `make` alone says what there is. Wants Python 3.11 or newer, make and git; nothing else.

PORT_BASE ?= 8600
DATA_DIR ?= .local
ARGS ?=
WORKERS ?= 2

BIN := .venv/bin
KAFKA_LOCK := deploy/embedded/kafka.lock.toml

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fault test-fault-notifier mutants check format generate bench bench-country bench-days bench-growth bench-ingest bench-line bench-notifier lock clean

help: ## Say what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.kafka ## Make .venv with the nhipso command, and fetch Kafka. Quick when done.
	@:

run: setup ## Start everything on this machine (PORT_BASE=8600 DATA_DIR=.local ARGS=--no-demo).
	@exec $(BIN)/nhipso up --data-dir $(DATA_DIR) --port-base $(PORT_BASE) $(ARGS)

test: setup ## Run all tests (ARGS=tests/unit for some, WORKERS=0 in one process).
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-fault: setup ## Kill everything at random and count again; about four minutes (ARGS='--seed 7 --faults 90').
	@$(BIN)/python -m tests.fault $(ARGS)

test-fault-notifier: setup ## Kill the notifier at every stage; about five minutes (ARGS='--seed 7 --alerts 300 --rounds 1').
	@$(BIN)/python -m tests.fault.notifier $(ARGS)

mutants: setup ## Plant 21 mutants and see that the tests catch them; about 15 minutes (ARGS=notifier for some).
	@$(BIN)/python -m tests.fault.mutants $(ARGS)

check: setup ## Check format, lint, types, import rules and what is generated.
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m contracts.generate --check

format: setup ## Format the code and mend what can be mended.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

generate: setup ## Write the schemas, AsyncAPI and the page of indicators anew.
	$(BIN)/python -m contracts.generate

bench: setup ## Measure scoring against its peer in Kafka Streams (ARGS='--events 100000 --citizens 20000').
	@$(BIN)/python -m tests.bench.scoring $(ARGS)

bench-growth: setup ## Measure scoring at 100,000, 1,000,000 and 5,000,000 citizens (ARGS='--citizens 10000 100000').
	@$(BIN)/python -m tests.bench.growth $(ARGS)

bench-days: setup ## Measure the daily step of 1,000,000 citizens, 3,000 due (ARGS='--citizens 100000 --due 300').
	@$(BIN)/python -m tests.bench.days $(ARGS)

bench-country: setup ## Measure 1, 2 and 4 processes on a country of 3,321 communes and 96 partitions.
	@$(BIN)/python -m tests.bench.country $(ARGS)

bench-ingest: setup ## Measure ingest beside a bare producer, on a fresh stack (ARGS='--events 5000000' for memory).
	@$(BIN)/python -m tests.bench.ingest $(ARGS)

bench-line: setup ## Measure the whole line on fresh stacks; takes about three minutes.
	@$(BIN)/python -m tests.bench.line $(ARGS)

bench-notifier: setup ## Measure the evaluation of a country, and what receivers that hang cost the others (ARGS='--part delivery').
	@$(BIN)/python -m tests.bench.notifying $(ARGS)

lock: setup ## Resolve the dependencies anew: Python's, Kafka's, and Debezium's for the tests.
	PATH="$$PATH:.venv/share/uv/bin" uv lock --upgrade
	$(BIN)/python -m deploy.embedded.fetch --lock
	$(BIN)/python -m tests.debezium.jars

clean: ## Remove the environment and caches. Data in .local stay.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.synced: pyproject.toml uv.lock deploy/embedded/setup.sh
	@PYTHON="$(PYTHON)" sh deploy/embedded/setup.sh
	@touch $@

.venv/.kafka: .venv/.synced $(KAFKA_LOCK)
	@$(BIN)/python -m deploy.embedded.fetch
	@touch $@
