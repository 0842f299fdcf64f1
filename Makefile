# Each target does all of its own set-up: a virtual environment beside this file, versions from constraints.txt.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PYTEST_ARGS ?= -n 3 --dist loadfile
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo run test lint format bench catalog clean

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Switchroom needs Python 3.11 or newer (this is %d.%d): make PYTHON=python3.12 …" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Switchroom into $(VENV) …"
	@$(PIP) install -c constraints.txt -e .
	@$(BIN)/python -m compileall -q catalog adapters store services cli tui
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing the development tools into $(VENV) …"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/.run  ## the program on a throw-away store: no key, no network
	@$(BIN)/switchroom --demo

run: $(VENV)/.run  ## the program on your own store
	@$(BIN)/switchroom

test: $(VENV)/.dev  ## the whole test suite
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## formatting, lint rules, types, layers, dead code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/vulture

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

catalog: $(VENV)/.dev  ## the bundled vendors, models and prices from a facts file: make catalog FACTS=path/models_facts.json
	@test -n "$(FACTS)" || { echo "say where the facts are: make catalog FACTS=path/models_facts.json"; exit 2; }
	@$(BIN)/python -m catalog.build "$(FACTS)" catalog/data

PEERS := elia posting oterm parllama
.venv-bench/%/.ready: benchmarks/peers/%.txt  # what we are compared with: an environment each, pinned whole; without one it is left out
	@echo "installing $* to compare with …"
	@{ $(PYTHON) -m venv .venv-bench/$* && .venv-bench/$*/bin/python -m pip --disable-pip-version-check --quiet \
	  install --no-deps -r $< && touch $@; } || echo "$* could not be installed: it is left out"

bench: $(VENV)/.dev $(PEERS:%=.venv-bench/%/.ready)  ## measures every bar and prints it beside its limit
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

clean:
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
