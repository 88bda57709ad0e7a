# Chappe's verbs; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin

# The same bytes on every machine, whatever its language is set to.
export LC_ALL := C.UTF-8

# Tests with real telephones, browsers and killed processes wait much and want no delay: all others, niced, take what
# these leave of the machine.
IN_REAL_TIME := tests/browser tests/carriers/asterisk tests/carriers/sip tests/carriers/voice tests/journeys

.DEFAULT_GOAL := help
.PHONY: help run test test-in-real-time test-others check fix docs pictures fresh-machine bench-sms bench-growth bench-kill bench-voice bench-voice-sip bench-voice-kill bench-profile bench-hours bench-abuse bench-scenes oracle

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 22

run: .venv/installed  ## serve the product with a demo account on http://127.0.0.1:8080
	@exec $(BIN)/chappe demo --data var --port $(PORT)

test:  ## set up what the tests need, then run every check and every test
	@scripts/system-packages
	@$(MAKE) --no-print-directory check
	@echo "Running the tests; what they say comes at their end ..."
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-in-real-time test-others

test-in-real-time:
	$(BIN)/pytest $(IN_REAL_TIME)

test-others:
	nice $(BIN)/pytest --numprocesses=auto --dist=loadfile $(IN_REAL_TIME:%=--ignore=%)

check: .venv/installed-test  ## lint, format, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/installed-test  ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/installed-test  ## write docs/coverage.md anew
	$(BIN)/python scripts/coverage_matrix.py > docs/coverage.md.new
	@mv docs/coverage.md.new docs/coverage.md

pictures: .venv/installed-test  ## take docs/pictures anew
	CHAPPE_PICTURES=1 $(BIN)/pytest tests/browser/test_pictures.py tests/browser/test_widget.py

fresh-machine:  ## try the README's two commands on a new Debian 12 (needs root)
	@scripts/fresh-machine

bench-sms: .venv/installed-bench  ## measure Chappe beside Kannel; OPTIONS="--rounds 1" and others, see bench/README.md
	@scripts/system-packages bench/system-packages.txt
	@$(BIN)/python -m bench.sms $(OPTIONS)

bench-growth: .venv/installed-bench  ## measure with ten million messages of history beside next to none
	@scripts/system-packages bench/system-packages.txt
	@$(BIN)/python -m bench.growth $(OPTIONS)

bench-kill: .venv/installed-bench  ## kill -9 under full load; OPTIONS="--rounds 50 --database postgres --nodes 2"
	@scripts/system-packages bench/system-packages.txt
	@$(BIN)/python -m bench.kill $(OPTIONS)

bench-voice: .venv/installed-bench  ## click-to-call on Asterisk beside the smallest client of its interface
	@scripts/system-packages
	@$(BIN)/python -m bench.voice.asterisk $(OPTIONS)

bench-voice-sip: .venv/installed-bench  ## the SIP process: legs mixed and recorded, a conference, a scanner
	@scripts/system-packages
	@$(BIN)/python -m bench.voice.sip $(OPTIONS)

bench-voice-kill: .venv/installed-bench  ## kill -9 in the middle of calls; OPTIONS="--rounds 50"
	@$(BIN)/python -m bench.voice.kill $(OPTIONS)

bench-hours: .venv/installed-bench  ## what one decision of opening hours takes
	@$(BIN)/python -m bench.hours

bench-abuse: .venv/installed-bench  ## strangers' numbers a thousand times through a callback form: what is let through
	@PYTHONPATH=. $(BIN)/python -m bench.abuse $(OPTIONS)

oracle: .venv/installed-test  ## opening hours against brute force: ten years of all zones (minutes)
	@PYTHONPATH=. $(BIN)/python -m tests.model.hours_oracle $(OPTIONS)

bench-scenes: .venv/installed-bench  ## batches of 1,000, ten accounts, four binds, long and inbound messages
	@scripts/system-packages bench/system-packages.txt
	@$(BIN)/python -m bench.scenes $(OPTIONS)

bench-profile: .venv/installed-bench  ## functions by the time spent in them, under load
	@scripts/system-packages bench/system-packages.txt
	@$(BIN)/python -m bench.profile $(OPTIONS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Chappe needs Python 3.11 or later; say which with: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "Python cannot make a virtual environment here: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	@echo "Installing Chappe into .venv (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-test: pyproject.toml | .venv/bin/python
	@echo "Installing Chappe and its test tools into .venv (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch .venv/installed $@

.venv/installed-bench: pyproject.toml | .venv/bin/python
	@echo "Installing Chappe and its bench into .venv (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch .venv/installed $@
