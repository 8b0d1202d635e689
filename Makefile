# Two commands do all set-up: `make demo` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
ROOMS := contract transport store auth sources onboarding execution resolvers schema gateway web demo benchmarks tests server.py

NONE := 5
# The status of pytest where nothing was chosen.

.PHONY: demo test test-deep mutants bench bench-peers check format lint types imports schema lock clean help

demo: $(INSTALLED) ## Build a synthetic province, serve it, ask one question (ARGS='--residents 2000')
	$(BIN)/python server.py demo $(ARGS)

test: $(INSTALLED) build/node/installed build/graphql-core ## Run all tests (ARGS='-k gate')
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2 -m "not deep and not timed" $(ARGS)
	$(BIN)/python -m coverage run -m pytest -m "timed and not deep" $(ARGS) || [ $$? -eq $(NONE) ]
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

test-deep: $(INSTALLED) ## Run the long tests: all of the fault drill, the oracle over raw tables (ARGS='-k health')
	$(BIN)/python -m pytest -m deep $(ARGS)

mutants: $(INSTALLED) ## Weaken each line that enforces permission and show that tests see it (ARGS='NAME --jobs 2')
	$(BIN)/python -m tests.mutants.run $(ARGS)

bench: $(INSTALLED) ## Measure beside others on this machine (ARGS='permission --rounds 5'); docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(INSTALLED) build/peers/installed ## Measure beside five servers of npm too (ARGS='--only Q2')
	cp benchmarks/peers/*.mjs build/peers/
	$(BIN)/python -m benchmarks peers --npm $(ARGS)

check: format lint types imports ## Everything that is not a test

format: $(INSTALLED) ## Formatted as agreed?
	$(BIN)/ruff format --check .

lint: $(INSTALLED) ## Linted?
	$(BIN)/ruff check .

types: $(INSTALLED) ## Typed?
	$(BIN)/mypy

imports: $(INSTALLED) ## Do rooms import downwards only?
	$(BIN)/lint-imports

schema: $(INSTALLED) ## Print the schema where review reads it
	mkdir -p build
	$(BIN)/python server.py schema > build/printed.graphql && mv build/printed.graphql schema/schema.graphql

lock: $(INSTALLED) ## Lock the dependencies anew: names, versions and hashes, no address
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
	  --extra demo --group dev pyproject.toml -o requirements.lock

clean: ## Remove what was built, the demo's data included
	rm -rf build .state .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# graphql-core's own tests, run against our executor; the archive is the one in the lock.
build/graphql-core: requirements.lock | $(INSTALLED)
	rm -rf $@ $@.new && mkdir -p $@.new
	sed -n '/^graphql-core==/,/[^\\]$$/p' requirements.lock > $@.new/graphql-core.txt
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --no-binary graphql-core \
	  --require-hashes -r $@.new/graphql-core.txt -d $@.new
	tar xzf $@.new/graphql_core-*.tar.gz -C $@.new
	mv $@.new $@

build/node/installed: tests/audit/package.json tests/audit/install
	mkdir -p build
	if command -v npm >/dev/null; then tests/audit/install; fi
	mkdir -p build/node && touch $@

build/peers/installed: benchmarks/peers/package-lock.json benchmarks/peers/install
	benchmarks/peers/install
