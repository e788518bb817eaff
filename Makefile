# Every target sets up what it needs. PYTHON may name another interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, each of the hundreds of processes that tests start compiles the hub anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench tone up down lock clean
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
	@$(BIN)/laporhub demo --profile laporgub-jateng --profile wadul-aladin

test: $(VENV)/.dev  ## every test
	@$(BIN)/pytest -n auto $(ARGS)

check: $(VENV)/.dev  ## lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@for profile in profiles/*/profile.yaml; do $(BIN)/laporhub profile check "$$(dirname $$profile)" || exit 1; done

bench: $(VENV)/.dev  ## measures, and writes bench/results.json
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/routing.py
	@$(BIN)/python bench/distributed.py

tone: $(VENV)/.dev  ## learns classifiers/tone.tsv from the made-up messages of the tests
	@$(BIN)/python bench/tone.py

# make up DEMO=1 also starts simulated phones, and answers them instead of Twilio.
ifdef DEMO
up: export COMPOSE_PROFILES := demo
up: export LAPORHUB_TWILIO_ACCOUNT_SID := AC00000000000000000000000000000000
up: export LAPORHUB_TWILIO_API_URL := http://web:8081
endif

up:  ## the hub of a province, in containers, on http://127.0.0.1:8080
	@sh compose/secrets.sh secrets
	@docker compose up --detach --build --remove-orphans
	@echo "LaporHub: http://127.0.0.1:8080   Kibana: http://127.0.0.1:5601 (user admin, password in secrets/elasticsearch_admin_password)"
	@echo "first account: docker compose exec web laporhub user add NAME --role admin_gubernur"

down:  ## stops it; what it keeps stays
	@docker compose --profile demo down

COMPILE := $(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: $(VENV)/.dev  ## renews the pinned versions
	@$(COMPILE) --extra dev --extra distributed --extra routing --extra s3 -o requirements-dev.txt pyproject.toml
	@$(COMPILE) -c requirements-dev.txt -o requirements.txt pyproject.toml
	@$(COMPILE) -c requirements-dev.txt --extra distributed --extra routing --extra s3 -o requirements-distributed.txt pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info
