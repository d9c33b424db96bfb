# `make demo` and `make test` work on a fresh clone: Python, make and a package index.
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-exporters check lint types template bench bench-engines bench-exporters \
  test-r gate diff models live rollback remove samples kdd99 lock clean

PY := .venv/bin/python
TWO := -n 2 --dist loadfile
R := r-base-core r-cran-jsonlite r-cran-rpart r-cran-randomforest r-cran-gbm r-cran-e1071 r-cran-glmnet
export SAM_CLI_TELEMETRY := 0

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed  ## score the sample models through the real Lambda runtime, on this machine
	@$(PY) -m scripts.demo

serve: .venv/.installed  ## the same local cloud, left running: prints a URL and curl lines
	@$(PY) -m scripts.serve

test: .venv/.installed  ## unit tests and end-to-end tests
	$(PY) -m pytest $(TWO)

test-exporters: .venv/.exporters  ## tests of the exporters, with the libraries that models are from
	$(PY) -m pytest $(TWO) tests/exporters

test-r: .venv/.installed  ## tests of the exporter for R; R and its packages from Debian
	@command -v Rscript >/dev/null || apt-get install -y --no-install-recommends $(R)
	$(PY) -m pytest tests/exporters/test_r.py

check: lint types template test  ## all that CI runs, but test-exporters

lint: .venv/.installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.installed
	$(PY) -m mypy functions
	$(PY) -m mypy exporters

template: .venv/.installed
	.venv/bin/sam validate --lint --template template.yaml

bench: .venv/.installed  ## cold start and latency against the plain way; writes benchmarks/results.*
	$(PY) -m benchmarks.run

bench-engines: .venv/.installed  ## the engine against titus2 and other engines; writes benchmarks/engines.*
	$(PY) -m benchmarks.engines

bench-exporters: .venv/.exporters  ## exported models against their libraries; writes benchmarks/exporters.md
	$(PY) -m benchmarks.exporters

gate: .venv/.installed  ## what the gate would say, before an upload: MODEL=file.pfa [LIVE=old.pfa]
	@$(PY) -m scripts.gate "$(MODEL)" $(if $(LIVE),--live "$(LIVE)")

diff: .venv/.installed  ## what changes: OLD=a.pfa NEW=b.pfa DATA=rows.ndjson [PNG=diff.png] [TOLERANCE=]
	@$(PY) -m scripts.diff "$(OLD)" "$(NEW)" --data "$(DATA)" $(if $(PNG),--png "$(PNG)") \
	  $(if $(TOLERANCE),--tolerance "$(TOLERANCE)")

models: .venv/.installed  ## what is live, since when, from which upload, the last verdict
	@$(PY) -m scripts.live

live: models

rollback: .venv/.installed  ## make an older live version the newest: MODEL=sonar [VERSION=...]
	@$(PY) -m scripts.rollback "$(MODEL)" $(if $(VERSION),--version="$(VERSION)")

remove: .venv/.installed  ## take a model off live: MODEL=sonar
	@$(PY) -m scripts.rollback "$(MODEL)" --remove

samples: .venv/.installed  ## make models/ and events/ again from data/
	$(PY) -m scripts.make_models

kdd99: .venv/.exporters  ## fit and export models/kdd99.pfa again
	$(PY) -m scripts.make_kdd99

lock: .venv/.installed  ## resolve the requirements again
	$(LOCK) functions/requirements.in -o functions/requirements.txt \
	  $(addprefix --no-emit-package ,$(IN_RUNTIME))
	$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(LOCK) exporters/requirements.in -o exporters/requirements.txt
	$(LOCK) benchmarks/requirements.in -o benchmarks/requirements.txt
	$(LOCK) benchmarks/peers-requirements.in -o benchmarks/peers-requirements.txt

LOCK := $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.12 \
  --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
# The Lambda runtime brings boto3, and these with it.
IN_RUNTIME := botocore jmespath python-dateutil six urllib3

.venv/.exporters: .venv/.installed exporters/requirements.txt
	@echo "setup: scikit-learn, XGBoost, LightGBM and Spark into .venv"
	@$(PY) -m uv pip install --quiet --python $(PY) --require-hashes -r exporters/requirements.txt
	@touch $@

clean:  ## remove what the other targets made
	rm -rf .venv .aws-sam .build .cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: requirements-dev.txt scripts/setup.sh
	@scripts/setup.sh
