# Two commands: `make demo` (environment, embedded cohort, whole chain, report) and `make test`; `make test-slurm`, on
# Debian as root, turns the machine into a SLURM of one node and tries the cluster's profile on it; `make bench` sets
# stages beside bcftools, plink2 and scikit-learn, as far as these are installed; `make docs` writes the reference of
# the run file, the tables and the figures of results into the pages, and builds them as a site, which must have no dead
# link.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slurm bench docs lint

demo: .venv/run
	$(BIN)/snakemake --profile workflow/profiles/local --cores 2 --max-threads 1 --scheduler greedy --report results/report.html --report-after-run

test: .venv/dev lint
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

test-slurm: .venv/dev
	tests/workflow/raise_slurm.sh
	SYNGENO_SLURM=1 $(BIN)/python -m pytest tests/workflow/test_slurm.py

bench: .venv/dev
	PYTHONPATH=workflow/scripts $(BIN)/python tests/benchmarks/stages.py results/bench

docs: .venv/dev
	PYTHONPATH=workflow/scripts $(BIN)/python docs/reference/generate.py
	PYTHONPATH=workflow/scripts $(BIN)/python docs/results/render.py
	PYTHONPATH=workflow/scripts $(BIN)/python docs/results/figures.py
	$(BIN)/mkdocs build --strict

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/dev: .venv/run requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
