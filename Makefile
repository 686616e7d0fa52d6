# Two commands: `make demo` (environment, embedded cohort, whole chain, report) and `make test`.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint

demo: .venv/run
	$(BIN)/snakemake --profile workflow/profiles/local --cores 2 --report results/report.html --report-after-run

test: .venv/dev lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/dev: .venv/run requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
