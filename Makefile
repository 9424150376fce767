# Everything from a fresh clone: make demo, make test, make lint, make bench.
VENV := .venv
BIN := $(VENV)/bin
ROOT := $(shell [ "$$(id -u)" = 0 ] && echo yes)

.PHONY: all test lint demo bench packages clean
all: test

$(VENV)/ready: pyproject.toml packages.txt
	$(if $(ROOT),scripts/install-packages)
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test,lint]'
	touch $@

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	shellcheck scripts/install-packages .ci/run

# These only compute, so they may run beside the rest, at the lowest priority.
PURE := tests/core/test_pair.py tests/core/test_watch.py tests/core/test_simulate.py \
        tests/core/test_hysteresis.py tests/core/test_loss.py tests/benchmarks

test: $(VENV)/ready lint
	@nice -n 19 $(BIN)/pytest -q --timeout 400 -m "not lab" $(PURE) > .pure.log 2>&1 & pure=$$!; \
	$(BIN)/pytest $(PURE:%=--ignore=%); rest=$$?; \
	wait $$pure; pure=$$?; cat .pure.log; rm -f .pure.log; [ $$rest = 0 ] && [ $$pure = 0 ]

demo: $(VENV)/ready
	$(BIN)/havpn demo

bench: $(VENV)/ready
	$(BIN)/python -m benchmarks.footprint
	$(BIN)/python benchmarks/probe_cost.py
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.calm
	$(BIN)/python -m benchmarks.detection
	$(BIN)/python -m benchmarks.under_load

clean:
	rm -rf $(VENV) build dist *.egg-info
