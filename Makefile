# plainnet: `make train` and `make test` need Python 3.11 or newer, make and a package index, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: agreement breaks browser help lab lab-speed train check bench bench-busy growth tried convolutions kill-table kill-test sabotage fuzz anatomy ablation ladder mutation versus threads test test-all test-oldest oracle extras series record figures clean

help:               ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

train: $(VENV)/installed     ## train the classic network on MNIST and write results/
	$(BIN)/plainnet train $(ARGS)

lab: $(VENV)/installed       ## open the lab: draw a digit, look inside, train while you watch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab]'
	$(BIN)/plainnet lab $(ARGS)

lab-speed: $(VENV)/installed-test ## how quickly the lab answers, and what looking on costs; writes records/lab.json
	$(MAKE) browser
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/lab.py

check: $(VENV)/installed     ## verify every gradient of the classic network
	$(BIN)/plainnet check

test: $(VENV)/installed-test ## lint, types, import contracts and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m "not slow" --cov --cov-report=term

test-all: $(VENV)/installed-test ## the same with the slow tests
	$(MAKE) test
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m slow

test-oldest:                 ## the tests with the oldest NumPy we support
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' 'numpy==2.0.*'
	$(VENV)-oldest/bin/pytest -m "not slow"

oracle: $(VENV)/installed-test ## install PyTorch, against which some tests compare (skipped without it)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,oracle]'

extras: $(VENV)/installed-test ## install PyTorch and all extras, so that every test runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,oracle,peers,tables,sklearn,onnx,tensorboard,judges,lab,mpi,sweep]' mpich

browser: $(VENV)/installed-test ## install what tests in a browser need: Playwright, and Debian's Chromium where it is missing
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lab,browser]'
	command -v chromium || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	  || echo "there is no Chromium to be had; the tests in a browser are skipped"

series: $(VENV)/installed    ## the recorded runs of a recipe: make series RECIPE=cnn SEEDS=0:3
	$(BIN)/plainnet series $(or $(RECIPE),classic) --seeds $(or $(SEEDS),0:10)

ladder: $(VENV)/installed    ## the table and the picture of all recipes on record
	$(BIN)/plainnet ladder --plot docs/pictures/ladder.png

record: $(VENV)/installed-test ## measure the main job from an empty clone and write records/main_job.json
	$(BIN)/python benchmarks/main_job.py

kill-table: $(VENV)/installed-test ## put every known fault into right code and record what the doctor says
	$(BIN)/python benchmarks/kill_table.py

versus: $(VENV)/installed    ## time the working tree against an earlier commit: make versus COMMIT=51117f5
	$(BIN)/python benchmarks/versus.py $(COMMIT) --record records/versus/$(COMMIT).json

threads: $(VENV)/installed   ## the threads that train chooses, against one and two, with and without other work
	$(BIN)/python benchmarks/threads.py --record records/threads.json

breaks: $(VENV)/installed-test ## break what users see, in a copy of the source, and see whether the tests notice
	$(BIN)/python benchmarks/breaks.py

mutation: $(VENV)/installed-test ## change our own code, one operator at a time, and see whether the tests notice
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'cosmic-ray>=8.3'
	$(BIN)/python benchmarks/mutation.py

kill-test: $(VENV)/installed ## kill 200 trainings at random moments, go on with them, and compare the weights
	$(BIN)/python benchmarks/kill_test.py 200 --record records/kill_test.json

sabotage: $(VENV)/installed  ## spoil trainings in every known way and see whether the cause is named
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sklearn]'
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/sabotage.py --verify --record records/sabotage.json

fuzz: $(VENV)/installed      ## feed the readers of files with mutated bytes, ten million times each
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris
	$(BIN)/python benchmarks/fuzz.py 10000000

anatomy: $(VENV)/installed   ## the original's iterations, with summed and with mean gradients
	$(BIN)/python benchmarks/anatomy.py

ablation: $(VENV)/installed  ## what each choice of a recipe earns on the validation images: make ablation RECIPE=cnn
	$(BIN)/python benchmarks/ablation.py $(RECIPE)

bench: $(VENV)/installed-test ## our speed beside that of our peers, in one interleaved run; writes records/bench.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,peers]'
	$(BIN)/plainnet bench --json records/bench.json

bench-busy: $(VENV)/installed-test ## the same trainings beside two busy processes; writes records/bench_busy.json
	$(BIN)/plainnet bench --only classic,fast99 --neighbors 2 --json records/bench_busy.json

growth: $(VENV)/installed    ## how the cost of an epoch grows with the network, the batch, the images and the threads
	$(BIN)/python benchmarks/growth.py

convolutions: $(VENV)/installed ## the ways to compute a convolution: how long they take, how exact they are
	$(BIN)/python benchmarks/convolutions.py

tried: $(VENV)/installed     ## what was tried to make plainnet faster, each beside what was kept
	$(BIN)/python benchmarks/tried.py

agreement: $(VENV)/installed ## whether exported models answer as plainnet does, in onnxruntime, PyTorch and NumPy
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[onnx,peers]'
	$(BIN)/python benchmarks/agreement.py

figures: $(VENV)/installed   ## write the figures of records/ into the pages
	$(BIN)/python benchmarks/page_figures.py

clean:                       ## remove everything that can be made again
	rm -rf $(VENV) $(VENV)-oldest results .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "plainnet needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V); name another: make PYTHON=python3.12 train"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo \
	  "$(PYTHON) cannot make virtual environments; install its venv package, or name another: make PYTHON=..."; exit 1; }
	@touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/python
	@echo "installing plainnet and what it needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/python
	@echo "installing plainnet and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/installed
