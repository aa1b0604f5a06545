# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is a stage of tools/run; the functions are in tools/stages.sh. State is in .build/ and the user's cache.
#   CORES="2.19:3.11"   only these ansible-cores (and the Pythons they may run on)
#   PYTHON=3.12         another Python for the tools and the demo
#   JOBS=4              test processes at once
#   EE_BASE=IMAGE       the base of the execution environment, in place of a Debian that is made for it

RUN := @bash tools/run

.DEFAULT_GOAL := help
.PHONY: help demo setup check test lint types docs unit integration sanity audit coverage dist ee bench bench-full bench-azcollection format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

demo: ## See it work: a token, users and subscriptions, from an emulator or from your tenant
	$(RUN) demo

setup: ## Make the environment for development in .build/venv/dev
	$(RUN) setup

check: ## Before each commit, two minutes: lint, types, unit tests, one play
	$(RUN) lint types quickunit smoke

test: ## Everything, as CI runs it (half an hour on two cores the first time)
	$(RUN) lint types docs unit conformance wire targets sanity dist

lint: ## ruff, shellcheck, yamllint, REUSE, changelog fragments, ansible-lint
	$(RUN) lint

types: ## mypy, strict
	$(RUN) types

docs: ## Check the documentation and build it as HTML in .build/docs
	$(RUN) docs

unit: ## Unit tests on each ansible-core
	$(RUN) unit

integration: ## Plays against the emulator on each ansible-core, then ansible-test's targets
	$(RUN) wire targets

sanity: ## ansible-test sanity on the oldest and the main ansible-core
	$(RUN) sanity

audit: ## Search all that plays print and leave for every secret, on four ansible-cores: ends with a table
	$(RUN) audit

conformance: ## Microsoft's own clients against the emulator
	$(RUN) conformance

coverage: ## Unit tests and plays on one ansible-core, measured, and the lines they missed
	@COVERAGE=1 CORES=2.19:3.11,3.12,3.13 bash tools/run unit wire coverage

dist: ## Build the artifact, run a play from it, let Galaxy's importer check it
	$(RUN) dist

ee: ## Build an execution environment with podman and run jobs in it: three minutes, as root on Debian or Ubuntu
	$(RUN) ee

bench: ## What a token costs, compared with other ways: five minutes
	$(RUN) bench

bench-full: ## The same with all hosts and rounds, an hour and a half: writes benchmarks/results.json, the tables and the plots
	$(RUN) bench_full

bench-azcollection: ## Adds azure.azcollection to these results (1.6 GB in .build)
	$(RUN) bench_azcollection

format: ## Sort imports and lay out the Python sources
	$(RUN) format

clean: ## Remove .build
	rm -rf .build
