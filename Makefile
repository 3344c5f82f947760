# Prerequisites: Python 3.13, Node 20, make. Everything else is installed here, into .venv and node_modules.
PYTHON ?= python3.13
BIN := .venv/bin
NPX := node_modules/.bin
# The tests start Python a hundred times: what is compiled once is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# Targets that do not need each other run side by side.
MAKEFLAGS += --jobs=4 --no-print-directory
# What `make check` leaves to `make test`, the longest first.
THOROUGH := tests/end_to_end tests/dashboard tests/web/test_malformed.py tests/emulator tests/contract tests/adapters \
	tests/infra/test_queries.py
PYTEST := $(BIN)/python -m pytest -q
# Two processes: nothing in these tests waits, and each process imports the app once more.
QUICK := $(PYTEST) -n 2 --dist worksteal tests $(THOROUGH:%=--ignore=%)
CHECKED := shared relay emulator bench tests infra function_app.py
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header
# Every file of the repository, also those that are not committed yet.
FILES = $(wildcard $(shell git ls-files --cached --others --exclude-standard))

.DEFAULT_GOAL := help
.PHONY: help install hooks run demo test test-host check fix lint types types-js layers security coverage mutants openapi-lint audit \
	checkov functions-doctor bicep bicep-write kql lock bench clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: .venv/installed node_modules/installed ## what a fresh clone needs

# pip installs uv and nothing else, checked by its hashes in the lock; uv installs the rest in a tenth of pip's time.
.venv/installed: requirements-dev.lock
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/# via/p' $< > .venv/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $<
	@touch $@

node_modules/installed: package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

hooks: .venv/installed ## check each commit before it is made (pre-commit)
	@$(BIN)/pre-commit install

run: install ## the relay with all that it needs, on this machine
	@$(BIN)/python -m emulator

demo: install ## send the documented example to `make run` and watch it arrive
	@$(BIN)/python -m emulator.demo

test: lint types types-js layers security openapi-lint coverage ## everything; about 10 minutes
	$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder $(THOROUGH)

test-host: install ## the end-to-end tests on Microsoft's own host: func of the Azure Functions Core Tools
	@command -v func >/dev/null || { echo "there is no func on the PATH: install the Azure Functions Core Tools 4"; exit 1; }
	RELAY_HOST=func $(BIN)/python -m pytest -q -rs tests/end_to_end tests/emulator/test_host_http.py tests/emulator/test_host_queue.py

check: install lint types types-js layers security openapi-lint ## the inner loop: about a minute
	HYPOTHESIS_PROFILE=quick $(QUICK) -m 'not exhaustive'

fix: .venv/installed ## format, and mend what ruff can mend
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

lint: .venv/installed ## style and likely faults (ruff)
	@$(BIN)/ruff check --quiet $(CHECKED)
	@$(BIN)/ruff format --check --quiet $(CHECKED)

types: .venv/installed ## types of the Python code (mypy --strict)
	@$(BIN)/mypy --no-error-summary

types-js: node_modules/installed ## types of the dashboard's JavaScript (tsc --checkJs)
	@$(NPX)/tsc

layers: .venv/installed ## which layer may import which (import-linter)
	@$(BIN)/lint-imports --no-cache --no-logo

security: .venv/installed .venv/no-secrets ## insecure code (bandit), and secrets in the tree (detect-secrets)
	@$(BIN)/bandit -q -r -c pyproject.toml shared relay function_app.py

# Looks only at files that changed since it last found none.
.venv/no-secrets: $(FILES) | .venv/installed
	@$(BIN)/detect-secrets-hook --exclude-files '\.lock$$|package-lock\.json|\.snapshot\.json' $?
	@touch $@

coverage: .venv/installed ## the quick tests; branch coverage of core and service is at least 95 %
	$(QUICK) --cov

# It goes on where it was stopped; ONLY='shared.core.delivery.*' looks at a part.
mutants: .venv/installed ## which changes of core no test would notice (mutmut); about 5 minutes
	@PATH="$(CURDIR)/$(BIN):$$PATH" mutmut run $(if $(ONLY),'$(ONLY)')
	@$(BIN)/mutmut results | sed '/not checked\|caught by/d'

openapi-lint: .venv/installed node_modules/installed ## the OpenAPI document against the rules of redocly.yaml
	@$(BIN)/python -c 'import json; from shared.web.openapi.document import document; print(json.dumps(document("https://relay.contoso.com"), indent=2))' > .venv/openapi.json
	@REDOCLY_TELEMETRY=off $(NPX)/redocly lint --format=stylish .venv/openapi.json

audit: install ## known vulnerabilities of what is locked; asks PyPI's and npm's advisories
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock
	npm audit --audit-level=high

checkov: .venv-checkov/installed ## a scanner's second look at infra/; accepted findings stand in .checkov.yaml
	$(BIN)/python -m tests.infra.compiler arm .venv-checkov/arm
	.venv-checkov/bin/checkov --config-file .checkov.yaml

bicep bicep-write: export BICEP ?= $(wildcard ../shared/tools/bicep)
bicep: .venv/installed ## compiles infra/ without a warning, compares layout and snapshots; needs Microsoft's Bicep CLI: BICEP or the PATH
	@$(BIN)/python -m tests.infra.compiler check

bicep-write: .venv/installed ## after a change of infra/: the layout, and the snapshots, for the review
	@$(BIN)/python -m tests.infra.compiler write

kql: install ## Microsoft's parser over every query of the alerts and the docs
	$(BIN)/python -m pytest -q tests/infra/test_queries.py

.venv-checkov/installed:
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check 'checkov>=3.3,<4'
	touch $@

# Its warnings that stay: settings and Application Insights, which infra/ sets in a way that it cannot read; cryptography has
# native code, and package.py takes the wheels for the machine of the app.
functions-doctor: .venv-doctor/installed ## checks of azure-functions-doctor: what keeps an app from running in Azure
	.venv-doctor/bin/azure-functions-doctor doctor --path . --profile deploy --target-python 3.13

.venv-doctor/installed:
	$(PYTHON) -m venv .venv-doctor
	.venv-doctor/bin/pip install --quiet --disable-pip-version-check 'azure-functions-doctor>=0.23.1,<0.24'
	touch $@

lock: .venv/installed ## newest versions within requirements*.txt
	$(LOCK) --upgrade -o requirements.lock requirements.txt
	$(LOCK) --upgrade -o requirements-dev.lock requirements-dev.txt

bench: install ## the figures of the README; about 25 minutes
	$(BIN)/python -m bench.imports
	$(BIN)/python -m bench.http
	$(BIN)/python -m bench.quota
	$(BIN)/python -m bench.conflation
	$(BIN)/python -m bench.drain
	$(BIN)/python -m bench.memory

clean: ## forget all that make installed or cached
	rm -rf .venv .venv-checkov .venv-doctor .package node_modules mutants .mypy_cache .ruff_cache .hypothesis
