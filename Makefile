# plainnet: `make train` and `make test` need only Python 3.11 or newer, make and a package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: docs grading agreement breaks browser help lab lab-speed train check bench bench-busy growth tried convolutions kill-table kill-test sabotage fuzz anatomy ablation ladder mutation versus threads test test-all test-oldest oracle extras series record figures clean

help:               ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

train: $(VENV)/installed     ## train the classic network on MNIST and write results/
	$(BIN)/plainnet train $(ARGS)

lab: $(VENV)/installed       ## open the lab: draw digits, look inside the network, watch it train
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab]'
	$(BIN)/plainnet lab $(ARGS)

lab-speed: $(VENV)/installed-test ## measure how fast the lab answers, and how much an open page slows training; writes records/lab.json
	$(MAKE) browser
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/lab.py

docs: $(VENV)/installed      ## build the site, with the course and the reference, in docs/_build/html
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

check: $(VENV)/installed     ## check every gradient of the classic network
	$(BIN)/plainnet check

test: $(VENV)/installed-test ## run lint, type checks, import contracts and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m "not slow" --cov --cov-report=term

test-all: $(VENV)/installed-test ## run `make test` and the slow tests
	$(MAKE) test
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m slow

test-oldest:                 ## run the tests with the oldest supported NumPy
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' 'numpy==2.0.*'
	$(VENV)-oldest/bin/pytest -m "not slow"

oracle: $(VENV)/installed-test ## install PyTorch for the tests that compare with it (skipped without it)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,oracle]'

extras: $(VENV)/installed-test ## install PyTorch and all extras, so that every test runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,oracle,peers,tables,sklearn,onnx,tensorboard,judges,lab,mpi,sweep,docs]' mpich

browser: $(VENV)/installed-test ## install what the browser tests need: Playwright, and Debian's Chromium if it is missing
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lab,browser]'
	command -v chromium || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	  || echo "Chromium could not be installed; the browser tests are skipped"

series: $(VENV)/installed    ## train a recipe with several seeds and record the runs: make series RECIPE=cnn SEEDS=0:3
	$(BIN)/plainnet series $(or $(RECIPE),classic) --seeds $(or $(SEEDS),0:10)

ladder: $(VENV)/installed    ## print and draw the comparison of all recorded recipes
	$(BIN)/plainnet ladder --plot docs/pictures/ladder.png

record: $(VENV)/installed-test ## measure `make train` from a fresh clone; writes records/main_job.json
	$(BIN)/python benchmarks/main_job.py

kill-table: $(VENV)/installed-test ## put every known fault into correct code and record what the doctor reports
	$(BIN)/python benchmarks/kill_table.py

versus: $(VENV)/installed    ## compare the speed with an earlier commit: make versus COMMIT=51117f5
	$(BIN)/python benchmarks/versus.py $(COMMIT) --record records/versus/$(COMMIT).json

grading: $(VENV)/installed-test ## grade 200 generated submissions, right, wrong, broken and hostile
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/grading.py

threads: $(VENV)/installed   ## compare the thread count that train chooses with one and two threads, with and without other work
	$(BIN)/python benchmarks/threads.py --record records/threads.json

breaks: $(VENV)/installed-test ## put visible faults into a copy of the source, and check that tests fail
	$(BIN)/python benchmarks/breaks.py

mutation: $(VENV)/installed-test ## change the source, one operator at a time, and check that tests fail
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'cosmic-ray>=8.3'
	$(BIN)/python benchmarks/mutation.py

kill-test: $(VENV)/installed ## kill training runs 200 times at random moments, resume them, and compare the weights
	$(BIN)/python benchmarks/kill_test.py 200 --record records/kill_test.json

sabotage: $(VENV)/installed  ## train with every known fault, and check that diagnose names the cause
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sklearn]'
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/sabotage.py --verify --record records/sabotage.json

fuzz: $(VENV)/installed      ## feed mutated bytes to the file readers, up to ten million times each
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris
	$(BIN)/python benchmarks/fuzz.py 10000000

anatomy: $(VENV)/installed   ## repeat the six iterations of docs/anatomy.md, with summed and with mean gradients
	$(BIN)/python benchmarks/anatomy.py

ablation: $(VENV)/installed  ## measure the effect of each choice of a recipe on the validation accuracy: make ablation RECIPE=cnn
	$(BIN)/python benchmarks/ablation.py $(RECIPE)

bench: $(VENV)/installed-test ## compare the speed with other programs, in one interleaved run; writes records/bench.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,peers]'
	$(BIN)/plainnet bench --json records/bench.json

bench-busy: $(VENV)/installed-test ## compare the speed while two other processes are busy; writes records/bench_busy.json
	$(BIN)/plainnet bench --only classic,fast99 --neighbors 2 --json records/bench_busy.json

growth: $(VENV)/installed    ## measure how the cost of an epoch grows with network, batch, images and threads
	$(BIN)/python benchmarks/growth.py

convolutions: $(VENV)/installed ## measure the time and the error of each convolution method
	$(BIN)/python benchmarks/convolutions.py

tried: $(VENV)/installed     ## time the variants that were tried beside those that were kept
	$(BIN)/python benchmarks/tried.py

agreement: $(VENV)/installed ## compare exported models with plainnet, in onnxruntime, PyTorch and NumPy
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[onnx,peers]'
	$(BIN)/python benchmarks/agreement.py

figures: $(VENV)/installed   ## write the figures of records/ into the pages
	$(BIN)/python benchmarks/page_figures.py

clean:                       ## remove everything that can be created again
	rm -rf $(VENV) $(VENV)-oldest results .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis docs/_build docs/learn docs/reference

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "plainnet needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) -V); choose another: make PYTHON=python3.12 train"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo \
	  "$(PYTHON) cannot create virtual environments; install its venv package, or choose another: make PYTHON=..."; exit 1; }
	@touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/python
	@echo "installing plainnet and its dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/python
	@echo "installing plainnet and its test dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/installed
