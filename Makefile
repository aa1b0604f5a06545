# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target runs sessions of noxfile.py; `make sessions` lists them all, and `.build/tools/bin/nox -s NAME` runs one.
# nox and all environments are in .build, downloads in the user's cache.
#   JOBS=4              test processes at once
#   EE_BASE=IMAGE       the base of the execution environment, in place of a Debian that is made for it

TOOLS := .build/tools
NOX := $(TOOLS)/bin/nox
PYTHON ?= $(shell for name in 3.11 3.12 3.13 3.14; do if python$$name -c 'import ensurepip, ssl, venv' 2> /dev/null; then echo python$$name; exit; fi; done)

# Sessions with one process each, and sessions with several: the first run beside the second, so that no processor idles.
CHECKS := sources types lint docs-check license-check extra-checks ansible-lint docs-site sanity targets dist build-import-check conformance docs-pages
TESTS := units awx plays entry-points attacks
ALL := $(CHECKS) $(TESTS) thorough units-all plays-all attacks-all audit audit-table sanity-all coverage ee
LOG := .build/log/checks.log

.DEFAULT_GOAL := help
.PHONY: help demo emulator test run-checks run-tests test-all check check-sources format docs audit attacks bench bench-full bench-azcollection ee release sessions clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' Makefile

demo: $(NOX) ## See it work: a token, users and subscriptions, from an emulator or from your tenant (half a minute)
	@$(NOX) -s demo

emulator: $(NOX) ## Start the emulator for your own plays, and print the variables to export
	@$(NOX) -s emulator

test: $(NOX) ## Run all tests on the main ansible-core and the entry points on the oldest and newest, as CI does
	@$(MAKE) --no-print-directory -j 2 run-tests run-checks

run-tests: $(NOX)
	@$(NOX) -s $(TESTS)

run-checks: $(NOX)
	@mkdir -p .build/log
	@echo "The checks of sources, documentation and artifact run beside the tests and write to $(LOG)"
	@$(NOX) -s $(CHECKS) > $(LOG) 2>&1; status=$$?; cat $(LOG); exit $$status

test-all: $(NOX) ## Run everything on every ansible-core: hours
	@$(NOX) -s $(ALL)

check: $(NOX) ## Before each commit: style, types, unit tests, a play (two minutes)
	@$(NOX) -s sources types 'units(2.19)' smoke

check-sources: $(NOX) ## Check style and layout alone
	@$(NOX) -s sources

format: $(NOX) ## Sort imports and lay out the Python sources
	@$(NOX) -s format

docs: $(NOX) ## Build the documentation in .build/docs/html
	@$(NOX) -s docs-site

audit: $(NOX) ## Search everything that plays print and leave for every secret, and show a table
	@$(NOX) -s audit audit-table

attacks: $(NOX) ## Play every attacker of the threat model
	@$(NOX) -s attacks attacks-all

bench: $(NOX) ## Measure what a token costs, beside other ways to get one (five minutes)
	@$(NOX) -s benchmarks

bench-full: $(NOX) ## The same with all hosts and rounds, which writes the results, the guide and the plots (an hour and a half)
	@$(NOX) -s benchmarks -- --full --results benchmarks/results.json

bench-azcollection: $(NOX) ## Add azure.azcollection to these results (1.6 GB in .build)
	@$(NOX) -s benchmarks-azcollection

ee: $(NOX) ## Build an execution environment with podman and run jobs in it
	@$(NOX) -s awx ee

release: $(NOX) ## Check and build the release, and stop before the upload
	@$(NOX) -s build-import-check release

sessions: $(NOX) ## List every session of nox
	@$(NOX) --list

clean: ## Remove .build
	rm -rf .build

$(NOX): tests/requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with the modules ensurepip, ssl and venv was not found. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Setting up nox in $(TOOLS)"
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements/tools.txt
	@touch $(NOX)
