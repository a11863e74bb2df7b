# `make` on a fresh machine does everything: installs from the lock file, then builds the dataset. `make test` tests.
.PHONY: all install repro test lint bench docs lock clean

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

all: install repro

install: .venv/installed

# uv from the lock file installs the rest of it in seconds. Modules are compiled once: each stage is a process, and where
# PYTHONDONTWRITEBYTECODE is set each would compile pandas, spaCy and Presidio anew.
.venv/installed: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Golden needs Python 3.11 or newer; this is $$(python3 --version)"; exit 1; }
	@echo "installing into .venv from requirements.lock"
	@test -x $(BIN)/python || python3 -m venv .venv
	@grep -A 60 '^uv==' requirements.lock | awk 'NR > 1 && /^[a-z]/ {exit} {print}' > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

repro: install
	@dvc repro --quiet
	@golden status --short

test: install
	@pytest

lint: install
	@ruff check . && ruff format --check . && mypy

# The pages of docs/ and a reference made from the code, as a site in build/docs.
docs: install
	@sphinx-build -q -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

bench: install
	@python -m benchmarks

# After a change of pyproject.toml: versions and hashes, no address of an index.
lock:
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url \
		--no-annotate --no-header pyproject.toml -o requirements.lock

# Everything that can be made again. The DVC cache, the response cache and data stay.
clean:
	@rm -rf .venv build dist reports logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
