# Everything from a fresh clone: make demo, make quick, make test, make lint, make house, make page, make mutants,
# make faults, make faults-pairs, make compare, make compare-quick, make test-more, make bench, make docs.
VENV := .venv
BIN := $(VENV)/bin
ROOT := $(shell [ "$$(id -u)" = 0 ] && echo yes)

.PHONY: all quick lane release test test-more test-debian lint demo deb docs pictures shots pages house page mutants faults faults-pairs compare compare-quick bench packages clean
all: test

$(VENV)/ready: pyproject.toml packages.txt
	$(if $(ROOT),scripts/install-packages test)
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint,docs]'
	touch $@ $(VENV)/demo-ready

# The program alone, in the same place; what is missing is said at once. Its bytecode is made once,
# and not by each of the daemons that start together.
$(VENV)/demo-ready: pyproject.toml packages.txt
	scripts/install-packages demo
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable .
	$(BIN)/python -m compileall -q -j 0 havpn_core plugins
	touch $@

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/words
	shellcheck scripts/install-packages scripts/test-lanes .ci/run ocf/link examples/libreswan-sa \
		packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm

test: $(VENV)/ready
	scripts/test-lanes $(BIN)/pytest

# What most changes break first, in half a minute; no lab, no daemon.
quick: $(VENV)/ready
	scripts/house check
	$(BIN)/python scripts/words
	scripts/test-lanes $(BIN)/pytest quick

# One lane alone: make lane LANE=pure
LANE := quick
lane: $(VENV)/ready
	scripts/test-lanes $(BIN)/pytest $(LANE)

# The same tests at their other places and in full length: each fault at the other gateway, too, each
# configuration of Pacemaker by both shells, a hundred faults in a row, all explorations; an hour.
test-more: $(VENV)/ready
	$(BIN)/pytest -q -m more --timeout 1800

# The lane debian in full, on both Debians, with heartbeat and Pacemaker: 15 minutes, of which 6 make the roots of
# those Debians where they are not in the cache.
test-debian: $(VENV)/ready
	$(BIN)/pytest -q -m 'more or not more' tests/systemd

demo: $(VENV)/demo-ready
	$(BIN)/havpn demo

# dist/havpn_VERSION-1~deb12_ARCH.deb and dist/havpn_VERSION-1~deb13_all.deb: docs/packaging.md.
# make deb ARCH=arm64 builds for another machine.
ARCH := $(shell dpkg --print-architecture 2>/dev/null || echo amd64)
deb: $(VENV)/ready
	$(BIN)/python scripts/deb --arch $(ARCH)

# The documentation as a site: build/docs/index.html. A dead link, a missing anchor or a page that no menu
# names ends it.
docs: $(VENV)/ready
	NO_MKDOCS_2_WARNING=1 nice $(BIN)/mkdocs build --clean
	@echo build/docs/index.html

# The pictures of the documentation: a run of the demo (root), simulations; a minute.
pictures: $(VENV)/ready
	$(BIN)/python scripts/draw-docs

# Pictures of the site's front page and comparison in a headless Chromium, in build/.
shots: docs
	$(BIN)/python scripts/shoot-docs

# Whether a version can be published: version, changelog, manual pages, clean tree, wheel, source
# distribution, Debian packages, docs. It publishes nothing.
release: $(VENV)/ready
	$(BIN)/python scripts/release

# The manual pages and completions that a wheel and the Debian package carry, from the commands.
pages: $(VENV)/ready
	$(BIN)/havpn man havpn.8 >packaging/man/havpn.8
	$(BIN)/havpn man havpn.toml.5 >packaging/man/havpn.toml.5
	$(BIN)/havpn completion bash >packaging/completions/havpn
	$(BIN)/havpn completion zsh >packaging/completions/_havpn
	$(BIN)/havpn completion fish >packaging/completions/havpn.fish

# The picture of docs/architecture.md, and the tree's numbers.
house:
	scripts/house draw
	scripts/house numbers

# The picture of the page in docs/metrics.md, from what docs/page.json recorded.
page: $(VENV)/ready
	$(BIN)/python scripts/shoot-page

# Every small change of the rules and the pair must be noticed by their own tests.
mutants: $(VENV)/ready
	$(BIN)/python scripts/mutants --jobs $$(nproc)

# What each single fault of the two-site network costs the clients, in pair, heartbeat and Pacemaker
# mode, with keepalived and with Pacemaker's ping agent: docs/faults.md. 2 to 3 hours; one of them:
# make faults MODE=pair
MODE := all
faults: $(VENV)/ready
	$(BIN)/python -m benchmarks.faults --mode $(MODE) --write

# Two faults at once, drawn from the whole table: owners, and clients beside a good road.
faults-pairs: $(VENV)/ready
	set -e; for seed in 1 2 3 4 5; do \
		$(BIN)/python -m benchmarks.campaigns.fault_pairs --count 40 --seed $$seed; \
	done

# HA-VPN, keepalived, Pacemaker's ping agent and FRR's BGP with BFD in the same network: docs/comparison.md. Up to
# 4 hours a run, or 20 minutes for a part; what a run has finished the next one does not repeat.
compare: $(VENV)/ready
	$(BIN)/python -m benchmarks.compare

compare-quick: $(VENV)/ready
	$(BIN)/python -m benchmarks.compare --quick

# All figures of docs/measurements.md: hours, on a machine that does nothing else. One of them, such as the first:
# python -m benchmarks.keep footprint
bench: $(VENV)/ready
	$(BIN)/python -m benchmarks.keep footprint
	$(BIN)/python -m benchmarks.keep scale
	$(BIN)/python -m benchmarks.keep calm --hours 20 --plot docs/calm.svg
	$(BIN)/python -m benchmarks.keep detection
	$(BIN)/python -m benchmarks.keep under_load
	$(BIN)/python -m benchmarks.keep plugin_list
	$(BIN)/python -m benchmarks.keep first_site
	$(BIN)/python -m benchmarks.keep pair --cuts 0 --seconds 0
	$(BIN)/python -m benchmarks.keep client_loss
	$(BIN)/python -m benchmarks.keep second_actions
	$(BIN)/python -m benchmarks.keep scrapers
	$(BIN)/python benchmarks/probe_cost.py
	$(BIN)/python -m benchmarks.calm_streams
	$(BIN)/python -m benchmarks.pair --power-offs 0 --handovers 0
	$(BIN)/python -m benchmarks.commits
	$(BIN)/python -m benchmarks.pacemaker

clean:
	rm -rf $(VENV) build dist *.egg-info
