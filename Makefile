# make demo   environment, then the whole road on embedded data
# make relabel-demo   one round of relabelling on CIFAR-10H (make relabel-demo DATA=FOLDER), through a real Label Studio
# make test   lint, types, import direction and all tests
# make gpu-environment   what a GPU machine has, for the dry run of docs/gpu.md
# make fast   the tests that need no training or server, a few minutes on two cores

PYTHON ?= python3
DATA ?= ../shared/data/cifar10h
BIN := .venv/bin

.PHONY: demo relabel-demo test fast lint environment gpu-environment label-studio clean

environment: .venv/done

.venv/done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	# --no-compile: all of it would take a minute of one core; what is imported is compiled then
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt \
		--editable ".[test,postgres,crowdlab,xlsx]"
	touch $@

demo: environment
	$(BIN)/dc3 demo

relabel-demo: environment
	$(BIN)/dc3 relabel-demo --data $(DATA)

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What hangs is named and fails; the longest, a round of relabelling, takes five minutes of two slow cores. Not in
# pyproject.toml: a borrowed GPU machine has no pytest-timeout
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 1200

fast: environment
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --timeout 1200

# Python 3.12 and torch 2.11, which the dry run of benchmarks/gpu then uses; build/ keeps it
gpu-environment: environment
	$(BIN)/python -m benchmarks.gpu.environment

# Tests and relabel-demo make it themselves where it is not, in .cache/dc3 of the home folder; needs no environment
label-studio:
	$(PYTHON) -c 'from relabel.label_studio.install import install; print(install())'

clean:
	rm -rf .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
