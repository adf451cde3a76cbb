# WiQ. `make help` lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   ?= output/demo

.DEFAULT_GOAL := help
.PHONY: help setup demo crawl probe refresh changes sources impute report backtest test lint bench dictionary requirements clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## Make the virtual environment (the other targets do it by themselves)

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "WiQ needs Python 3.11 or later, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(READY)  ## Crawl the built-in replica of the site over loopback, impute the built-in sample, show what came of it
	@WIQ_OUTPUT=$(DEMO) $(BIN)/scrapy demo
	@WIQ_OUTPUT=$(DEMO) $(BIN)/imputer demo

crawl: $(READY)  ## Crawl the real site, both languages: about two minutes, one request a second
	@$(BIN)/scrapy crawl tbs

probe: $(READY)  ## Compare the expected labels with the real site; publishes nothing
	@$(BIN)/scrapy crawl tbs -a probe=1

refresh: $(READY)  ## The monthly job: crawl, print what changed, impute; exit status for a scheduler
	@$(BIN)/scrapy crawl tbs && $(BIN)/scrapy changes && $(BIN)/imputer impute

changes: $(READY)  ## What changed between the last two good runs, English and French
	@$(BIN)/scrapy changes

sources: $(READY)  ## Which input files of the imputer are here, and how to get the others
	@$(BIN)/imputer sources status

impute: $(READY)  ## Fill what is missing: sources, O*NET and, with OPENAI_API_KEY, a model; publish output/wiq/latest if good
	@$(BIN)/imputer impute

report: $(READY)  ## Draw the report of the last imputation again, English and French
	@$(BIN)/imputer report

backtest: $(READY)  ## Measure how right the imputer is on cells that are known
	@$(BIN)/imputer backtest

test: $(READY)  ## Run the tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: $(READY)  ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

bench: $(READY)  ## Measure speed and memory: the crawl against bare Scrapy (needs nginx), then the imputer
	@$(BIN)/python benchmarks/crawl.py
	@$(BIN)/python benchmarks/resolution.py
	@$(BIN)/python benchmarks/statements.py
	@$(BIN)/python benchmarks/batch.py

dictionary: $(READY)  ## Write the data dictionaries again after a change in schemas/
	@$(BIN)/python -m schemas.dictionary

requirements: $(READY)  ## Compile the pinned requirements again after a change in pyproject.toml
	@$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt pyproject.toml
	@$(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-dev.txt pyproject.toml

clean:  ## Delete the virtual environment and the caches (never output/)
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
