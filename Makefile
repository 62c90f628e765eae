# What people type. Everything runs inside .venv; nothing is installed outside the checkout.
PYTHON ?= python3
SERVE  ?= 1
PORT   ?= 8000
ONLY   ?=
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help install demo test check bench samples train lock format clean

help:
	@echo "make demo      read the sample photos, show the results, serve the pages on 127.0.0.1:$(PORT) (SERVE=0: stop after the results)"
	@echo "make test      set up and run the tests"
	@echo "make install   create .venv with .venv/bin/headstone"
	@echo "make check     everything a reviewer asks for: format, lint, types, import layers, Dockerfile, locks"
	@echo "make bench     run the benchmarks (ONLY=reader for one), write bench/latest.json"
	@echo "make samples   render the sample pack anew and its contact sheet"
	@echo "make train     short training run of the reader on this machine's CPU"

install: $(VENV)/.installed

$(VENV)/.installed: requirements/default.txt pyproject.toml tools/make-venv
	@PYTHON="$(PYTHON)" tools/make-venv $(VENV) requirements/default.txt

$(VENV)/.dev: $(VENV)/.installed requirements/dev.txt
	@PYTHON="$(PYTHON)" tools/make-venv $(VENV) requirements/dev.txt

demo: install
	@$(BIN)/headstone demo $(if $(filter 0 no false,$(SERVE)),--no-serve,--serve) --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/python tools/check_locks.py

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

samples: $(VENV)/.dev
	$(BIN)/python -m datasets samples

train: $(VENV)/.train
	$(VENV)-train/bin/python -m models.training.train --config quick

# Pins every dependency, hashes included. Run it after changing pyproject.toml.
lock: $(VENV)/.dev
	UV=$(BIN)/uv tools/lock

clean:
	rm -rf $(VENV) $(VENV)-train out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
