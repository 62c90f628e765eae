# What people type. Everything runs inside .venv; nothing is installed outside the checkout.
PYTHON ?= python3
SERVE  ?= 1
PORT   ?= 8000
ONLY   ?=
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: extras test-extras help install demo test check bench samples train lock format clean

help:
	@echo "make demo      read the sample photos, show the results, serve the pages on 127.0.0.1:$(PORT) (SERVE=0: stop after the results)"
	@echo "make test      set up and run the tests"
	@echo "make install   create .venv with .venv/bin/headstone"
	@echo "make check     everything a reviewer asks for: format, lint, types, import layers, Dockerfile, locks"
	@echo "make bench     run the benchmarks (ONLY=reader for one), write bench/latest.json"
	@echo "make samples   render the sample pack anew and its contact sheet"
	@echo "make train     short training run of the reader on this machine's CPU"
	@echo "make extras    create .venv-extras with the other engines (torch, paddleocr) and what training needs"
	@echo "make test-extras   the tests that need them"

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

# The other engines and training, in an environment of their own. torch is not locked: which build is right (CPU, CUDA)
# depends on the machine and on the index that it uses.
extras: $(VENV)-extras/.extras

$(VENV)-extras/.extras: requirements/dev.txt requirements/extras.txt pyproject.toml tools/make-venv
	@PYTHON="$(PYTHON)" tools/make-venv $(VENV)-extras requirements/dev.txt
	@$(VENV)-extras/bin/pip install --quiet --no-deps --require-hashes -r requirements/extras.txt
	@$(VENV)-extras/bin/pip install --quiet torch==2.13.0
	@touch $@

test-extras: extras
	HEADSTONE_TEST_EXTRAS=1 $(VENV)-extras/bin/python -m pytest tests/models/engines tests/models/training $(ARGS)

train: extras
	$(VENV)-extras/bin/python -m models.training.train --config quick --out out/train

# Pins every dependency, hashes included. Run it after changing pyproject.toml.
lock: $(VENV)/.dev
	UV=$(BIN)/uv tools/lock

clean:
	rm -rf $(VENV) $(VENV)-extras out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
