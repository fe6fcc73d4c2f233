# Two commands a newcomer needs: `make demo` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PARALLEL := --numprocesses 2 --dist loadfile  # a file stays in one process; faults measure, and run alone

.PHONY: help setup demo test faults stories diagnosis docs format benchmark clean

help:
	@echo "make demo       the whole road on a real year of bike rentals, about 3 minutes after installation"
	@echo "make test       format, lint, types, import contracts, tests"
	@echo "make faults     the long fault suite and simulation, by hand"
	@echo "make stories    the cases' stories in full, with training, by hand; some minutes"
	@echo "make diagnosis  the diagnosis judged on fresh problems with known faults, by hand; an hour"
	@echo "make benchmark  timings against peers, by hand"
	@echo "make docs       write docs/reference.md from the code"
	@echo "make format     put the code in the house format"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tenure needs Python 3.11 or newer; name one with: make demo PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,dev]'
	@touch $(STAMP)

setup: $(STAMP)

demo: $(STAMP)
	$(BIN)/tenure demo

test: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term --cov-report=json:.coverage.json --ignore=tests/statistics --ignore=tests/faults --ignore=tests/simulation
	$(BIN)/python tests/coverage_floor.py .coverage.json
	$(BIN)/pytest $(PARALLEL) tests/statistics tests/simulation
	$(BIN)/pytest tests/faults

faults: $(STAMP)
	TENURE_FAULTS=long TENURE_SEEDS=10000 $(BIN)/pytest tests/faults tests/simulation tests/rollout/test_replicas_kill.py

stories: $(STAMP)
	TENURE_STORIES=long $(BIN)/pytest tests/stories

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	$(BIN)/python docs/generate.py

diagnosis: $(STAMP)
	$(BIN)/python -m benchmarks.diagnosis --runs 36 --csv docs/diagnosis.csv

benchmark: $(STAMP)
	$(BIN)/python benchmarks/training.py
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python benchmarks/observe.py
	$(BIN)/python benchmarks/evidence.py
	$(BIN)/python -m benchmarks.cases --selection
	-$(BIN)/python -m benchmarks.decide  # exits with 1 while a decision costs more than 8 bare calls

clean:
	rm -rf $(VENV) .coverage .coverage.json .pytest_cache .mypy_cache .ruff_cache
