# Everything repeatable is one command. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Bytecode is kept: importing without it costs every command a second.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3.11
# Scripts in a virtual environment can't hold a path with a space: modules are run instead.
PY := .venv/bin/python
# What is to be there (a program, or a file by its pattern) and the Debian package that brings it.
WITNESSES := sipp:sip-tester baresip:baresip tshark:tshark socat:socat sipsak:sipsak openssl:openssl \
	kamailio:kamailio /usr/lib*/*/kamailio/modules/tls.so:kamailio-tls-modules \
	gammu:gammu gammu-smsd:gammu-smsd /usr/sbin/smsd:smstools /usr/sbin/bearerbox:kannel \
	chromium:chromium swaks:swaks /usr/lib/postgresql/*/bin/initdb:postgresql

.PHONY: help setup witnesses accept accept-all test lint bench soak docs lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: .venv/installed ## Install everything pinned: Python packages into .venv, Allure into reports/node_modules
	@$(PY) -m harness.cli.node || echo "Until that is mended there is no Allure report. All else works, the dossier too."

# Made anew where the pins, the project's description or the folder itself have changed.
.venv/installed: requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, or make PYTHON=/path/to/it"; exit 1; }
	@if [ ! -x $(PY) ] || ! $(PY) -c 'import sys; assert sys.prefix != sys.base_prefix' 2>/dev/null; then \
		"$(PYTHON)" -m venv --clear .venv; fi
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/installed

witnesses: ## Install the outside programs that check ours in `make test`, where that can be done
	@missing=(); for pair in $(WITNESSES); do \
		command -v "$${pair%%:*}" >/dev/null || compgen -G "$${pair%%:*}" >/dev/null || missing+=("$${pair#*:}"); done; \
	if [ $${#missing[@]} -eq 0 ]; then exit 0; fi; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
		echo "Not installed, as this needs root and apt-get: $${missing[*]}. Tests that need them are skipped (with CI set: fail)."; \
		exit 0; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	guard=/usr/sbin/policy-rc.d; \
	if [ ! -e "$$guard" ]; then \
		trap "rm -f $$guard" EXIT; printf '#!/bin/sh\nexit 101\n' > "$$guard"; chmod 755 "$$guard"; fi; \
	if apt-get -qq update && apt-get -qq install -y --no-install-recommends "$${missing[@]}" >/dev/null; then \
		case " $${missing[*]} " in *" kamailio "*) update-rc.d kamailio disable ;; esac; \
		echo "Installed: $${missing[*]}"; \
	else echo "apt-get could not install: $${missing[*]}. Tests that need them are skipped (with CI set: fail)."; fi

accept: setup ## Run the NICCS acceptance suites on simulators; ends in report and dossier (reports/out)
	@$(call accepted,--suite niccs)

accept-all: setup ## The same of every acceptance suite: NICCS, service centre, Webex
	@$(call accepted,)

# A run that was won or lost has a dossier, without an Allure report (4), too; one that could not be run, or was broken
# off, has none.
accepted = $(PY) -m harness.cli accept $(1) && code=0 || code=$$?; \
	if [[ $$code == [014] ]]; then $(PY) -m harness.cli dossier || code=$$(($$code ? $$code : $$?)); fi; exit $$code

test: setup witnesses lint ## Run the project's own tests, outside witnesses included
	$(PY) -m suites.selftest

lint: setup ## Check style, types and floors
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'

bench: setup ## Measure; results go to reports/out/bench.json
	$(PY) -m bench

soak: setup ## Call for 30 minutes, see that memory stays flat; results go to reports/out/soak.json and soak.svg
	$(PY) -m bench.soak

docs: setup ## Write docs/keywords.md from the keyword library
	$(PY) -m harness.keywords.manual > docs/keywords.md

lock: setup ## Pin Python packages anew, with hashes, from pyproject.toml
	"$(PYTHON)" -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	.venv/lock/bin/python -m piptools compile --quiet --extra dev --extra report --extra codecs --generate-hashes --allow-unsafe \
		--strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements.lock pyproject.toml
	@# What is asked for with an extra (by scim2-models) has to be pinned with it and without: pip --require-hashes.
	awk '/^pydantic==/ { keep = 1 } /# via/ { keep = 0 } keep { twin = twin $$0 "\n" } \
		/^pydantic-core==/ { sub(/^pydantic==/, "pydantic[email]==", twin); printf "%s    # via scim2-models\n", twin } \
		{ print }' requirements.lock > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean: ## Remove what make made: environment, packages, results
	rm -rf .venv reports/node_modules reports/out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
