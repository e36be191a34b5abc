# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Two commands do everything on a fresh Debian machine with root:
#   make demo   the demo cluster and its failover, with and without state sync
#   make test   lint, sanity, unit tests, documentation and every molecule scenario
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

LAB ?= lab
NODES ?= 2
FLOWS ?= 2000
UDP_FLOWS ?= 20
FAILURE ?= power_loss
STATE_SYNC ?= true
LAGG_PLANS ?= build/lagg_plan

ROOT := $(CURDIR)
COLLECTIONS := $(ROOT)/build/collections
TREE := $(COLLECTIONS)/ansible_collections/hafirewall/cluster
INVENTORY := $(ROOT)/build/$(LAB)/inventory.yml
LAB_TOOLS := build/.lab-tools
TEST_TOOLS := build/.test-tools
QEMU_TOOLS := build/.qemu-tools
VENV := .venv/.ready
BENCH_VENV := build/bench-venv/.ready
SCENARIOS ?= $(sort $(notdir $(patsubst %/molecule.yml,%,$(wildcard molecule/*/molecule.yml))))
APART = $(filter lagg,$(SCENARIOS))
TOGETHER = $(filter-out $(APART),$(SCENARIOS))

# The environment's own programs first; a shim of a version manager would break ansible-test's search for an interpreter.
CLEAN_PATH := $(shell printf '%s' "$$PATH" | tr ':' '\n' | grep -v '/shims$$' | paste -sd:)
export PATH := $(ROOT)/.venv/bin:$(CLEAN_PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export ANSIBLE_CONFIG := $(ROOT)/molecule/shared/ansible.cfg
unexport PYTHONPATH ANSIBLE_LIBRARY
# Twice as many tests at once as there are processors: many wait for programs.
export PYTEST_XDIST_AUTO_NUM_WORKERS := $(shell echo $$((2 * $$(nproc))))

LABCTL := python molecule/shared/lab.py
PLAY := ansible-playbook -i $(INVENTORY)

.PHONY: help demo lab lab-clean shell site verify drill lagg-plan test quick long lint sanity units matrix daemons docs compatibility molecule bench clean

help: ## this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# What the other targets stand on

$(LAB_TOOLS): molecule/shared/packages.txt
$(TEST_TOOLS): tests/packages.txt
$(QEMU_TOOLS): molecule/shared/qemu-packages.txt
$(LAB_TOOLS) $(TEST_TOOLS) $(QEMU_TOOLS):
	@mkdir -p build
	if [ "$$(id -u)" != 0 ]; then echo 'The lab makes network namespaces and containers: run this as root.' >&2; exit 1; fi
	wanted=$$(grep -vE '^(#|$$)' $<)
	if ! dpkg-query -W -f '$${db:Status-Status}\n' $$wanted 2>/dev/null | awk '$$0 != "installed" {bad = 1} END {exit bad || NR < '"$$(wc -w <<< "$$wanted")"'}'; then
	  echo 'Installing the Debian packages of $< ...'
	  export DEBIAN_FRONTEND=noninteractive
	  printf '#!/bin/sh\nexit 101\n' > build/policy-rc.d && chmod +x build/policy-rc.d
	  [ -e /usr/sbin/policy-rc.d ] || { ln -s $(ROOT)/build/policy-rc.d /usr/sbin/policy-rc.d; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
	  apt-get update -qq
	  apt-get install -y -qq --no-install-recommends $$wanted > $@.log 2>&1 || { tail -20 $@.log >&2; exit 1; }
	fi
	touch $@

$(VENV): tests/requirements.txt | $(LAB_TOOLS)
	@echo 'Making the virtual environment .venv ...'
	rm -rf .venv
	/usr/bin/python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $< 2> >(grep -v '^WARNING: Location' >&2)
	touch $@

# Of its own: what the decoders are compared with is no part of what the tests need.
$(BENCH_VENV): benchmarks/requirements.txt
	@rm -rf build/bench-venv
	/usr/bin/python3 -m venv build/bench-venv
	build/bench-venv/bin/python -m pip install --quiet --disable-pip-version-check -r $< 2> >(grep -v '^WARNING: Location' >&2)
	touch $@

$(TREE):
	@mkdir -p $(dir $@)
	ln -sfn $(ROOT) $@

# The lab and the main job

demo: $(VENV) $(TREE) ## build a demo cluster, fail it over with and without state sync, write build/demo/report.{json,html}
	@trap '$(LABCTL) down --name demo' EXIT
	$(LABCTL) up --name demo
	ansible-playbook -i build/demo/inventory.yml -e failover_drill_flows=$(FLOWS) -e failover_drill_udp_flows=$(UDP_FLOWS) \
	  -e failover_drill_failure=$(FAILURE) -e failover_drill_directory=$(ROOT)/build/demo hafirewall.cluster.demo
	python molecule/shared/summary.py build/demo/report.json

lab: $(VENV) $(TREE) ## start the lab and leave it running (NODES=2|3), inventory in build/lab/inventory.yml
	@$(LABCTL) up --name $(LAB) --nodes $(NODES)

lab-clean: ## remove every trace of the lab, after a crash too
	@/usr/bin/python3 molecule/shared/lab.py down --name $(LAB)

shell: $(VENV) ## run a command on a node without ssh: make shell NODE=fw1 CMD='ip addr'
	@$(LABCTL) shell --name $(LAB) $(NODE) -- '$(CMD)'

site: $(VENV) $(TREE) ## configure the lab's cluster
	@$(PLAY) -e lab_state_sync=$(STATE_SYNC) hafirewall.cluster.site

verify: $(VENV) $(TREE) ## judge the lab's cluster, report in build/verify/
	@$(PLAY) -e lab_state_sync=$(STATE_SYNC) -e verify_directory=$(ROOT)/build/verify hafirewall.cluster.verify

drill: $(VENV) $(TREE) ## fail the lab's cluster over (FLOWS= UDP_FLOWS= FAILURE= STATE_SYNC=), report in build/drill/
	@$(PLAY) -e lab_state_sync=$(STATE_SYNC) hafirewall.cluster.site
	$(PLAY) -e lab_state_sync=$(STATE_SYNC) -e failover_drill_flows=$(FLOWS) -e failover_drill_udp_flows=$(UDP_FLOWS) \
	  -e failover_drill_failure=$(FAILURE) -e failover_drill_directory=$(ROOT)/build/drill hafirewall.cluster.failover_drill
	python molecule/shared/summary.py build/drill/report.json

lagg-plan: $(VENV) $(TREE) ## print the LAGG plan of a cluster as JSON (INVENTORY= EVIDENCE= CLUSTER=), text and picture in build/lagg_plan/
	@rm -f $(LAGG_PLANS)/*.json
	$(PLAY) -e lagg_plan_directory=$(abspath $(LAGG_PLANS)) $(if $(EVIDENCE),-e lagg_plan_evidence=$(abspath $(EVIDENCE))) hafirewall.cluster.lagg_plan >&2
	plans=($(LAGG_PLANS)/$(or $(CLUSTER),*).json)
	if [ ! -e "$${plans[0]}" ] || [ "$${#plans[@]}" != 1 ]; then
	  echo "Which cluster? State CLUSTER=NAME; planned were: $$(cd $(LAGG_PLANS) 2>/dev/null && echo *.json | sed 's/\.json\b//g')" >&2
	  exit 1
	fi
	cat "$${plans[0]}"

# The tests

test: lint sanity units matrix daemons docs molecule ## everything (about an hour on 2 cores)
	@echo 'make test: all passed.'

quick: export HAFW_HYPOTHESIS := glance
quick: export HAFW_PFSENSE := 2.9.0-RELEASE
quick: lint units daemons docs ## without sanity, the matrix and the molecule scenarios, properties at a glance (under 10 minutes)
	@echo 'make quick: passed. Left out: ansible-test sanity, the matrix and the molecule scenarios ($(SCENARIOS)), most cases of properties, pfSense but the
	newest; make test runs them.'

long: $(VENV) $(TREE) $(TEST_TOOLS) ## the property tests with their full counts
	@HAFW_HYPOTHESIS=long python -m pytest tests/unit tests/daemons

lint: $(VENV) $(TREE)
	@ruff check .
	mypy
	yamllint --strict .
	# A home of its own: a copy of the collection that is installed in the user's would be judged in place of this tree.
	ANSIBLE_HOME=$(ROOT)/build/ansible-lint ansible-lint --offline --profile production
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .

sanity: $(VENV)
	@bash tests/sanity/run.sh

units: $(VENV) $(TREE) $(TEST_TOOLS)
	@python -m pytest -n auto tests/unit

matrix: $(VENV) $(TREE) $(TEST_TOOLS) ## the other ansible-core, and node code on the oldest Python; what this machine cannot test is named in the last line
	@bash tests/matrix/run.sh

daemons: $(VENV) $(TREE) $(TEST_TOOLS)
	@python -m pytest tests/daemons tests/lab

docs: $(VENV) $(TREE) ## the documentation as HTML in build/docs, warnings are errors
	@bash docs/build.sh

compatibility: $(VENV) $(TREE) ## write docs/compatibility.md from the data; a test compares the two
	@PYTHONPATH=$(COLLECTIONS) python docs/compatibility.py

# Three at a time, for they mostly wait, each one's output in one piece when it has ended; then the one whose emulators need the machine for themselves.
molecule: $(VENV) $(TREE) $(if $(filter lagg,$(SCENARIOS)),$(QEMU_TOOLS))
	@$(if $(TOGETHER),$(MAKE) --no-print-directory --output-sync=target --jobs=3 $(TOGETHER:%=scenario-%))
	$(if $(APART),$(MAKE) --no-print-directory $(APART:%=scenario-%))

scenario-%:
	@echo "== molecule scenario: $*"
	log=build/molecule-$*.log
	molecule -c .config/molecule/config.yml test -s $* 2>&1 | tee $$log || {
	  python molecule/shared/lab.py down --name molecule-$*
	  echo "== $* failed; all of it is in $$log, and this is what failed:"
	  grep -A 25 -E 'fatal:|failed:|\[ERROR\]' $$log | tail -60
	  exit 1
	}

bench: $(VENV) $(BENCH_VENV) $(TREE) $(TEST_TOOLS) ## what planning and a run cost; with BENCH_FLOWS="100 2000" also what a failover costs so many flows (benchmarks/README.md)
	@python benchmarks/planning.py
	python benchmarks/upgrade.py
	python benchmarks/pfsense.py
	build/bench-venv/bin/python benchmarks/wire.py
	python benchmarks/runs.py
	if [ -n "$(BENCH_FLOWS)" ]; then python benchmarks/flows.py $(BENCH_FLOWS); fi

clean: lab-clean ## also remove build/ and .venv/
	rm -rf build .venv
