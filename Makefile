# Prerequisites: Python 3.13, Node 20, make. Everything else is installed here, into .venv and node_modules.
PYTHON ?= python3.13
BIN := .venv/bin
#: What `make check` leaves to `make test`, the longest first.
THOROUGH := tests/end_to_end tests/dashboard tests/web/test_malformed.py tests/emulator tests/contract tests/adapters
CHECKED := shared relay emulator bench tests infra function_app.py

.PHONY: install run demo test test-host check lint types layers security audit checkov functions-doctor bicep bicep-write kql lock bench clean

install: .venv/installed node_modules/installed ## what a fresh clone needs

.venv/installed: requirements-dev.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

node_modules/installed: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

run: install ## the relay with all that it needs, on this machine
	@$(BIN)/python -m emulator

demo: install ## send the documented example to `make run` and watch it arrive
	@$(BIN)/python -m emulator.demo

test: check ## everything
	$(BIN)/python -m pytest -q -n 3 --dist worksteal $(THOROUGH)

test-host: install ## the end-to-end tests on Microsoft's own host: func of the Azure Functions Core Tools
	@command -v func >/dev/null || { echo "there is no func on the PATH: install the Azure Functions Core Tools 4"; exit 1; }
	RELAY_HOST=func $(BIN)/python -m pytest -q -rs tests/end_to_end tests/emulator/test_host_http.py tests/emulator/test_host_queue.py

check: install lint types layers security ## the inner loop: some half a minute
	$(BIN)/python -m pytest -q -n 2 tests $(THOROUGH:%=--ignore=%)

lint:
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check --quiet $(CHECKED)

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports --no-cache

security: ## insecure code, and secrets in the tree
	$(BIN)/bandit -q -r -c pyproject.toml shared relay function_app.py
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --exclude-files '\.lock$$|package-lock\.json|\.snapshot\.json'

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

lock: .venv/installed ## after a change of requirements*.txt
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o requirements.lock requirements.txt
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o requirements-dev.lock requirements-dev.txt

bench: install ## the figures of the README; about 25 minutes
	$(BIN)/python -m bench.imports
	$(BIN)/python -m bench.http
	$(BIN)/python -m bench.quota
	$(BIN)/python -m bench.conflation
	$(BIN)/python -m bench.drain
	$(BIN)/python -m bench.memory

clean:
	rm -rf .venv .venv-checkov .venv-doctor .package node_modules .mypy_cache .ruff_cache .hypothesis
