# Every command of the project; `make help` lists them. Needs only GNU make and Python 3.11 to 3.14.

.DEFAULT_GOAL := help
.PHONY: help run demo test check types prove bench format image clean tools
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run.stamp ## Serve the site on http://localhost:8080, with its own PostgreSQL and Redis
	@TURN=$${TURN:-auto} exec $(PY) server.py $(ARGS)

demo: .venv/demo.stamp ## Serve a site with robots to talk to, without any keys
	@exec $(PY) server.py demo $(ARGS)

test: tools .venv/dev.stamp check types ## Run all checks, then all tests including real browsers
	@echo "Running the tests."
	@$(PY) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not prove" $(ARGS)

check: .venv/dev.stamp ## Check style, Python types and import contracts
	@echo "Checking style, types and imports."
	@$(PY) -m ruff format --check --quiet
	@$(PY) -m ruff check --quiet
	@$(PY) -m mypy
	@.venv/bin/lint-imports --config setup.cfg --no-logo 2>&1

types: node_modules/.stamp ## Check the types of the scripts in static/
	@echo "Checking static/*.js."
	@node_modules/.bin/tsc --project jsconfig.json

prove: tools .venv/dev.stamp ## Run the slow tests: load, faults, many calls, slow variants
	@$(PY) -m pytest -m prove -o faulthandler_timeout=0 $(ARGS)

bench: .venv/dev.stamp ## Measure speed and memory (bench/README.md)
	@$(PY) -m bench $(ARGS)

format: .venv/dev.stamp ## Format the code
	@$(PY) -m ruff format --quiet
	@$(PY) -m ruff check --fix --quiet

image: ## Build the container image napalmsky
	docker build --build-arg VERSION=$$(cat VERSION) --tag napalmsky .

clean: ## Remove what these commands created; data/ stays
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -not -path './data/*' -prune -exec rm -rf {} +

.venv/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c '$(FITS)' 2>/dev/null; then \
			echo "Creating a virtual environment in .venv with $$($$python --version)."; \
			exec $$python -m venv --clear .venv; \
		fi; \
	done; \
	echo "Python 3.11 to 3.14 with venv is needed." >&2; \
	echo "On Debian and Ubuntu: apt install python3 python3-venv" >&2; \
	exit 1

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing the server's dependencies (about a minute, only the first time)."
	@$(PIP) --only-binary=:all: -r requirements.txt
	@touch $@

.venv/demo.stamp: requirements.txt requirements-demo.txt | .venv/bin/python
	@echo "Installing the dependencies of the server and of the robots (about a minute, only the first time)."
	@$(PIP) --only-binary=:all: -r requirements-demo.txt
	@touch $@ .venv/run.stamp

.venv/dev.stamp: requirements.txt requirements-demo.txt requirements-dev.txt | .venv/bin/python
	@echo "Installing the tests' dependencies (about a minute, only the first time)."
	@$(PIP) --only-binary=:all: -r requirements-dev.txt
	@touch $@ .venv/run.stamp .venv/demo.stamp

node_modules/.stamp: package.json package-lock.json
	@npm ci --silent --no-audit --no-fund
	@touch $@

# System packages of the tests: three browser engines, a TURN server, a proxy for several machines, networks, Node for the type check.
tools:
	@missing=""; \
	for pair in chromium:chromium firefox-esr:firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb \
		turnserver:coturn openssl:openssl haproxy:haproxy /usr/sbin/nginx:nginx-light /usr/sbin/pgbouncer:pgbouncer systemd-analyze:systemd \
		promtool:prometheus /usr/sbin/nft:nftables ip:iproute2 /usr/sbin/debootstrap:debootstrap node:nodejs npm:npm; do \
		command -v $${pair%:*} >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	/usr/bin/python3 -c 'import gi; gi.require_version("WebKit2", "4.1")' 2>/dev/null || missing="$$missing python3-gi gir1.2-webkit2-4.1"; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root=no; fi; \
	if [ "$$as_root" = no ] || ! command -v apt-get >/dev/null; then \
		echo "The tests need programs that are not installed:$$missing" >&2; \
		echo "On Debian: sudo apt-get install$$missing" >&2; \
		exit 1; \
	fi; \
	echo "Installing system packages for the tests:$$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$as_root apt-get update -qq && $$as_root apt-get install -qq -y --no-install-recommends $$missing >/dev/null
