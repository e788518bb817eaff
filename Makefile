# Every target sets up what it needs. PYTHON may name another interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check bench lock clean
.DEFAULT_GOAL := run

$(VENV)/.run: requirements.txt pyproject.toml
	@echo "1/3  Python environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "2/3  libraries (about a minute the first time)"
	@$(BIN)/pip install -q --require-hashes -r requirements.txt
	@echo "3/3  LaporHub itself"
	@$(BIN)/pip install -q --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "     test tools"
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run  ## the demo on http://127.0.0.1:8080
	@$(BIN)/laporhub demo

test: $(VENV)/.dev  ## every test
	@$(BIN)/pytest -n auto $(ARGS)

check: $(VENV)/.dev  ## lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@for profile in profiles/*/profile.yaml; do $(BIN)/laporhub profile check "$$(dirname $$profile)" || exit 1; done

bench: $(VENV)/.run  ## measures, and writes bench/results.json
	@$(BIN)/python bench/run.py

lock: $(VENV)/.dev  ## renews the pinned versions
	@$(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt pyproject.toml
	@$(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev -o requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info
