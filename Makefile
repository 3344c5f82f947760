# Prerequisites: Python 3.13, Node 20, make. Everything else is installed here, into .venv and node_modules.
PYTHON ?= python3.13
BIN := .venv/bin
#: What `make check` leaves to `make test`, the longest first.
THOROUGH := tests/end_to_end tests/dashboard tests/web/test_malformed.py tests/emulator tests/contract tests/adapters
CHECKED := shared relay emulator bench tests function_app.py

.PHONY: install run demo test test-host check lint types layers security audit checkov lock bench clean

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
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --exclude-files '\.lock$$|package-lock\.json'

audit: install ## known vulnerabilities of what is locked; asks PyPI's and npm's advisories
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock
	npm audit --audit-level=high

checkov: .venv-checkov/installed ## a scanner's second look at infra/; accepted findings stand in .checkov.yaml
	.venv-checkov/bin/checkov --config-file .checkov.yaml

.venv-checkov/installed:
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check 'checkov>=3.3,<4'
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
	rm -rf .venv .venv-checkov node_modules .mypy_cache .ruff_cache .hypothesis
