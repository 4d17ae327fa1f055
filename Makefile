# Every target makes .venv first when it must; ARGS is passed on, e.g. make demo ARGS='--once --parties 200'.
ARGS ?=

.PHONY: help demo up dev test proof simulate check lint format bench mutation second-opinion docs lock hooks image clean

help:
	@sed -n 's/^## //p' Makefile

## make demo     the sandbox office, CRM and calendar, a first load, edits on both sides, a sync, the Dagster UI
demo:
	@sh scripts/venv.sh run
	@.venv/bin/vmh-sync demo $(ARGS)

## make test     all tests; ARGS goes to pytest
test:
	@sh scripts/venv.sh dev
	@sh scripts/test.sh $(ARGS)

## make proof    the long proofs of docs/guarantees.md (hours); VMH_PROOF_HISTORIES and VMH_PROOF_SEEDS bound them
proof:
	@sh scripts/venv.sh dev
	@sh scripts/proof.sh

## make simulate weeks of the whole house in one process on virtual time; SEEDS=1000, and ARGS='--first 17 --days 2'
SEEDS ?= 20
simulate:
	@sh scripts/venv.sh dev
	@.venv/bin/python -m vmh_sync_tests.simulation --seeds $(SEEDS) $(ARGS)

## make up       the product with the settings of .env
up:
	@sh scripts/venv.sh run
	@.venv/bin/vmh-sync up $(ARGS)

## make dev      `dagster dev` with an embedded Dagster home; RUN='dagster job list' runs any other Dagster command so
RUN ?= dagster dev
dev:
	@sh scripts/venv.sh dev
	@sh scripts/dev.sh $(RUN) $(ARGS)

## make check    lint, format, types, import directions, Dagster definitions
check lint:
	@sh scripts/venv.sh dev
	@sh scripts/check.sh

## make format   let ruff repair what it can
format:
	@sh scripts/venv.sh dev
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

## make bench    the benchmarks of docs/benchmarks.md
bench:
	@sh scripts/venv.sh dev
	@.venv/bin/python -m vmh_sync_tests.bench $(ARGS)

## make mutation do the tests of the pure core notice when it is changed? (docs/guarantees.md; half an hour)
mutation:
	@sh scripts/venv.sh dev
	@sh scripts/mutation.sh $(ARGS)

## make second-opinion  ask the npm package emulate anew about Google Calendar (needs Node; the tests need no Node)
second-opinion:
	@sh scripts/venv.sh dev
	@sh scripts/second_opinion.sh

## make docs     the documentation site in build/site, and the pages in it that are made from the code
docs:
	@sh scripts/venv.sh dev
	@.venv/bin/python -m vmh_sync_tests.docs_pages
	@.venv/bin/zensical build --strict --clean

## make lock     rewrite the lock files; ARGS='--upgrade' takes newer versions
lock:
	@sh scripts/venv.sh dev
	@sh scripts/lock.sh $(ARGS)

## make hooks    run the checks before each commit (pre-commit, local hooks only)
hooks:
	@sh scripts/venv.sh dev
	@.venv/bin/pre-commit install

## make image    the container image (needs Docker, or ENGINE=podman)
image:
	$(or $(ENGINE),docker) build --tag vmh-sync:local .

## make clean    remove .venv and caches; the product's own state (.vmh) stays
clean:
	rm -rf .venv .venv.lock .mutation .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
