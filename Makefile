# Everything runs in .venv, made here from the pinned requirements. Python 3.11 or newer is all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate --quiet

.PHONY: demo test check bench soak mutants audit sbom requirements clean
.DEFAULT_GOAL := demo

demo: $(VENV)/runtime.stamp  ## The platform with a seeded market and accounts, on loopback.
	$(BIN)/python manage.py demo

# A test process has a database and a broker of its own. It takes whole files, so that what their tests share is
# started once; those that start processes come early, so that neither process is left alone with them in the end.
test: $(VENV)/dev.stamp  ## Every test: first those that can share the machine, then the faults, alone.
	@status=0; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not faults" || status=1; \
	$(BIN)/python -m pytest -q -m faults || status=1; \
	exit $$status

check: $(VENV)/dev.stamp  ## Style, types, import contracts, missing migrations.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pmplatform.embedded $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/runtime.stamp  ## The platform against its performance goals; takes a while and the whole machine.
	$(BIN)/python manage.py benchmark

soak: $(VENV)/dev.stamp  ## Ten minutes of random faults under load; SOAK_SECONDS and SOAK_SEED to repeat one.
	SOAK_SECONDS=$${SOAK_SECONDS:-600} $(BIN)/python -m pytest -q tests/faults/test_soak.py

mutants: $(VENV)/dev.stamp  ## Whether the tests notice changes of the core; goes on where it stopped; MUTANTS, MUTANTS_SEED.
	nice -n 19 $(BIN)/python -m tests.mutants

audit: $(VENV)/dev.stamp  ## Known vulnerabilities of the pinned packages; NOT AUDITED (and a failure) out of reach.
	@report=$$(mktemp); \
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt \
		--format json --output $$report && echo "audited: nothing known" \
		|| { test -s $$report && cat $$report || echo "NOT AUDITED: the service could not be asked."; exit 1; }

sbom: $(VENV)/dev.stamp  ## What the image is made of, in CycloneDX.
	@mkdir -p test-artifacts
	$(BIN)/python -W ignore -m cyclonedx_py requirements docker/requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-file test-artifacts/sbom.json

requirements: | $(BIN)/pip  ## Pin again what pyproject.toml asks for.
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/$(COMPILE) --extra embedded --output-file requirements.txt
	$(BIN)/$(COMPILE) --constraint requirements.txt --output-file docker/requirements.txt
	$(BIN)/$(COMPILE) --extra embedded --extra bulk --extra venues --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean:  ## Remove the environment and what tools leave behind; the demo's data in .pm stays.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage \
		staticfiles test-artifacts build dist mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/runtime.stamp: requirements.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@ $(VENV)/runtime.stamp

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with 'make PYTHON=...'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing: 'apt-get install python3-venv', then try again." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
