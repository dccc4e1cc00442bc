# Everything runs from one virtual environment, made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := 3.3.30
PIP := $(BIN)/pip --disable-pip-version-check --quiet
SIZE ?= 200000
# One file's tests stay together: they share a local cloud. Files are begun in the order of tests/conftest.py.
PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench bench-producers bench-transforms bench-reports bench-local \
        bench-athena bench-dashboards bench-filters failed-replay failed-replay-hours kill-producers simulate torn-reads test-emulator \
        test-trino assembly docs clean bench-simulate outage-producers bench-notices bench-streams bench-freshness \
        import-flights bench-import import-large kill-imports kill-reports upgrade wheel try-wheel interrupt-cloud soak attack-athena mutate-inputs chaos \
        hook-deliveries bench-collector random-bodies job-requests kill-jobs import-jobs offline-page bench-api random-reads receipts bench-receipts \
        bench-live live-frames bench-site site-states sample-contracts checkov

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Penstock needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The command and the local cloud: all that the demo needs.
$(VENV)/.local: setup.cfg pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the local cloud (about half a minute) ..." >&2
	$(PIP) install --constraint constraints.txt --editable '.[local]'
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what tests and synthesis need (about a minute) ..." >&2
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.local

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) install --constraint constraints.txt --editable '.[bench]'
	@touch $@

setup: $(VENV)/.dev ## the virtual environment with everything in it

demo: $(VENV)/.local ## the whole pipeline once, on this machine
	@$(BIN)/penstock demo

test: $(VENV)/.dev ## every test
	$(BIN)/pytest $(PARALLEL)

check: $(VENV)/.dev ## format, lint, types, import floors, grammar of the SQL, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/penstock contracts check
	$(BIN)/python -m tests.golden.athena.grammar
	$(BIN)/pytest $(PARALLEL)

format: $(VENV)/.dev ## put the code into its form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

assembly: $(VENV)/.dev ## synthesize the CloudFormation templates again
	$(BIN)/python -m infra.aws.synth --write
	$(BIN)/python -m infra.aws.role_matrix --write
	$(BIN)/python -m infra.cost.page --write

# It pins other versions of our libraries, so it has an environment of its own.
checkov: $(VENV)/.checkov-$(CHECKOV) ## the templates beside checkov's rules; .checkov.yaml says which do not hold here, and why
	$(VENV)/checkov/bin/checkov --directory infra/assembly --skip-download

$(VENV)/.checkov-$(CHECKOV): | $(BIN)/python
	$(PYTHON) -m venv --clear $(VENV)/checkov
	$(VENV)/checkov/bin/pip --disable-pip-version-check --quiet install checkov==$(CHECKOV)
	@touch $@

docs: $(VENV)/.dev ## write the generated documents again
	$(BIN)/python -m infra.command.cli_document
	$(BIN)/penstock contracts docs --out docs/events.html
	$(BIN)/python -m tests.golden.athena.facts

bench: $(VENV)/.dev ## the whole chain on this machine: events per second, and where the time went
	$(BIN)/python -m benchmarks.local --events $(SIZE)

bench-local: ## the same with a million events
	@$(MAKE) bench SIZE=1000000

bench-producers: $(VENV)/.bench ## producers beside their peers
	$(BIN)/python -m benchmarks.producers

chaos: $(VENV)/.dev ## fifty rounds of kills, restarts, full disks and faults, every number compared after each
	$(BIN)/python -m benchmarks.chaos --rounds 50 --events 11000

mutate-inputs: $(VENV)/.dev ## two hundred damaged inputs through the commands that read files
	PENSTOCK_TEST_MUTATIONS=200 $(BIN)/pytest tests/producers/sources/test_mutated_inputs.py tests/infra/demo/test_producing.py

bench-collector: $(VENV)/.bench ## the collector beside its peers, and over its port through the emulator
	$(BIN)/python -m benchmarks.collector
	$(BIN)/python -m benchmarks.collector_cloud

offline-page: $(VENV)/.dev ## a page in Chromium whose network is gone for thirty seconds: nothing is lost, all reports count it
	PENSTOCK_TEST_OFFLINE_SECONDS=30 $(BIN)/pytest tests/end_to_end/test_page_script.py -k arrive

random-bodies: $(VENV)/.dev ## ten thousand random bodies to the collector: what was taken landed, failed or was dropped
	PENSTOCK_TEST_BODIES=10000 $(BIN)/pytest tests/end_to_end/test_collector_faults.py -k bodies

bench-simulate: $(VENV)/.dev ## simulated traffic against a local cloud, aggregated and event by event
	$(BIN)/python -m benchmarks.producer_simulates

bench-transforms: $(VENV)/.bench ## the transformation beside its peers
	$(BIN)/python -m benchmarks.transforms
	$(BIN)/python -m benchmarks.transforms_loop

bench-reports: $(VENV)/.dev ## bytes scanned per refresh beside the usual designs
	$(BIN)/python -m benchmarks.reports

bench-streams: $(VENV)/.dev ## five streams beside one, and one beside a neighbour that fails
	$(BIN)/python -m benchmarks.streams

bench-notices: $(VENV)/.dev ## query executions that a thousand notifications lead to, and a redrive
	$(BIN)/python -m benchmarks.report_notices

freshness-model: $(VENV)/.dev ## how long an event waits for its reports on AWS, on paper
	$(BIN)/python -m benchmarks.freshness_model

bench-freshness: $(VENV)/.dev ## from an object in the lake to the reports that have it, while 5,000 events a second come
	$(BIN)/python -m benchmarks.report_freshness

bench-athena: $(VENV)/.dev ## a report query beside DuckDB alone
	$(BIN)/python -m benchmarks.athena

attack-athena: $(VENV)/.dev ## break-ins into the local Athena, and statements that would exhaust it
	$(BIN)/python -m benchmarks.athena_attacks

bench-dashboards: $(VENV)/.dev ## how long a viewer of the preview waits
	$(BIN)/python -m benchmarks.dashboard_preview --rows-of-days 60
	$(BIN)/python -m benchmarks.dashboard_preview --events 1000000

bench-filters: $(VENV)/.dev ## two hundred random filters, clicks and publishes: a page that stands beside a fresh one
	PENSTOCK_TEST_FILTERS=200 $(BIN)/pytest tests/dashboards/test_random_filters.py

bench-site: $(VENV)/.dev ## how long somebody waits at the report site, over a local cloud with a million events
	$(BIN)/python -m benchmarks.report_site --events 1000000

site-states: $(VENV)/.dev ## every page and state of the report site at three widths, light and dark: WCAG 2.2 AA
	PENSTOCK_TEST_STATES=1 $(BIN)/pytest tests/end_to_end/test_report_site.py -k wcag

import-flights: $(VENV)/.dev ## a year of flights and weather from files to reports, beside pandas, with the time of each step
	PENSTOCK_TEST_FLIGHTS=336776 PENSTOCK_TEST_TIMEOUT=3600 $(BIN)/pytest -s tests/end_to_end/test_flights.py

sample-contracts: $(VENV)/.dev ## contracts of 32 sample files, most from packages that it fetches, beside those written down before
	$(BIN)/python -m benchmarks.sample_contracts

bench-import: $(VENV)/.dev ## import of a dense file beside a replay, per second and per CPU second: EVENTS=2000000
	$(BIN)/python -m benchmarks.importing --events $(or $(EVENTS),2000000)

import-large: $(VENV)/.dev ## memory of an import of a generated file, which needs twice its size on the disk: SIZE_BYTES=5000000000
	$(BIN)/python -m benchmarks.importing --memory $(or $(SIZE_BYTES),5000000000)

kill-imports: $(VENV)/.dev ## a hundred imports killed at random moments and resumed: the same bytes
	PENSTOCK_TEST_KILLS=100 $(BIN)/pytest tests/infra/importing -k killed

hook-deliveries: $(VENV)/.dev ## ten thousand deliveries of webhooks, some twice, forged or damaged, while their worker is killed
	$(BIN)/python -m benchmarks.hook_deliveries --deliveries 10000 --kills 20

bench-live: $(VENV)/.dev ## a hundred mutations, and changes of jobs, a second to fifty subscribers, and one that reads nothing
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.live_jobs

live-frames: $(VENV)/.dev ## a thousand frames without meaning and two hundred half-open sockets to the local AppSync
	PENSTOCK_TEST_FRAMES=1000 PENSTOCK_TEST_SOCKETS=200 $(BIN)/pytest tests/infra/local/graphql/test_limits.py

receipts: $(VENV)/.dev ## five hundred random numbers of every report: their listed events give them to pandas
	PENSTOCK_TEST_CELLS=500 $(BIN)/pytest tests/queries/receipts/test_listed_events.py

bench-receipts: $(VENV)/.dev ## how long the receipt of a number over a million events takes
	$(BIN)/python -m benchmarks.receipts

job-requests: $(VENV)/.dev ## twenty equal requests at once, ten a second, a year's transitions, a cancellation, 10,000 random bodies
	$(BIN)/python -m benchmarks.job_requests --requests 200
	PENSTOCK_TEST_PARTITIONS=744 PENSTOCK_TEST_BODIES=10000 $(BIN)/pytest tests/queries/jobs/test_steps.py \
	  tests/queries/api/test_random_bodies.py

kill-jobs: $(VENV)/.dev ## backfills of 31 days of hours, stopped at every step, and while the cloud goes down: the same bytes
	$(BIN)/python -m benchmarks.job_kills --days 31

import-jobs: $(VENV)/.dev ## ten files of flights, a year's, by a job and by `penstock import`: the same objects
	PENSTOCK_TEST_FLIGHTS=336776 $(BIN)/pytest tests/infra/importing/function/test_importer.py -k flights

bench-api: $(VENV)/.dev ## pages of a report over the port of the read API, through the emulator, and no query
	$(BIN)/python -m benchmarks.read_api

random-reads: $(VENV)/.dev ## ten thousand random paths, queries and headers to the read API: none makes it fail
	PENSTOCK_TEST_REQUESTS=10000 $(BIN)/pytest tests/queries/api/reading/test_reports.py -k fail

failed-replay: $(VENV)/.dev ## 100,000 events with poison among them: mended, replayed twice, reports as of clean input
	PENSTOCK_TEST_EVENTS=100000 $(BIN)/pytest tests/end_to_end/test_failed_replay.py

failed-replay-hours: $(VENV)/.dev ## 50,000 events of 2,000 hours in one error object, replayed: calls, CPU and seconds
	PENSTOCK_TEST_HOURS=2000 $(BIN)/pytest -s tests/transforms/failed/test_replay_hours.py -k every_hour

kill-producers: $(VENV)/.dev ## two hundred producers killed at random moments
	$(BIN)/python -m benchmarks.producer_kills --runs 200

outage-producers: $(VENV)/.dev ## producers under load while their stream is down for a minute, and across forks
	$(BIN)/python -m benchmarks.producers --only outage --outage 60

resume-kills: $(VENV)/.dev ## replays with a resume file, interrupted two hundred times by each of three signals
	$(BIN)/python -m benchmarks.producer_resumes --interruptions 200

damage-spools: $(VENV)/.dev ## a thousand damaged spools: every readable event arrives, every other byte is kept
	$(BIN)/python -m benchmarks.producer_damage --damages 1000

full-disk: $(VENV)/.dev ## the disk under a spool fills up and is freed again (mounts a tmpfs: needs root)
	$(BIN)/python -m benchmarks.producer_disk

kill-reports: $(VENV)/.dev ## a report's worker killed at every step of a refresh
	$(BIN)/python -m benchmarks.report_kills

interrupt-cloud: $(VENV)/.dev ## local up, down and reset cut off at forty times two random moments
	PENSTOCK_TEST_INTERRUPTIONS=40 $(BIN)/pytest tests/infra/local/test_interruptions.py

soak: $(VENV)/.dev ## thirty minutes at a thousand events a second: memory of each process, size of each folder
	$(BIN)/python -m benchmarks.soak --minutes 30 --rate 1000 --samples soak.jsonl

real-log: $(VENV)/.dev ## the tests over an access log, on a whole one: LOG=access.log.gz, its figures in tests/golden/access_log
	PENSTOCK_TEST_ACCESS_LOG=$(abspath $(LOG)) $(BIN)/pytest tests/queries/refresh/test_access_log.py \
	  tests/producers/sources/test_read.py tests/end_to_end/test_demo.py -k "log or counted or pandas"

readme-sequence: $(VENV)/.dev ## replay, refresh --wait, query, twenty times: LOG=access.log.gz WANTED=9999
	$(BIN)/python -m benchmarks.readme_sequence $(LOG) --wanted $(WANTED)

simulate: $(VENV)/.dev ## ten thousand seeded histories of the reports' code
	$(BIN)/python -m benchmarks.simulation --schedules 10000

torn-reads: $(VENV)/.dev ## readers beside two hundred publishes
	$(BIN)/python -m benchmarks.torn_reads

upgrade: $(VENV)/.dev ## today's code over what three earlier commits deployed and filled
	$(BIN)/python -m benchmarks.upgrades

test-emulator: $(VENV)/.dev ## what MiniStack must do before its version may change
	$(BIN)/pytest tests/infra/local/ministack

test-trino: $(VENV)/.dev ## the golden answers beside a real Trino (needs Maven and a JDK)
	$(BIN)/python -m tests.golden.athena.trino_oracle
	$(BIN)/python -m tests.golden.athena.trino_generated

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

try-wheel: $(VENV)/.dev ## the wheel, installed by pip outside the clone: the producer alone, a service, a project of two streams
	PENSTOCK_TEST_INSTALL=1 $(BIN)/pytest tests/infra/wheel

clean: ## remove what was made here, the local cloud's state included
	-@test -x $(BIN)/penstock && $(BIN)/penstock local down >/dev/null 2>&1
	rm -rf $(VENV) .local build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
