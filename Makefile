# The two commands are `make run` and `make test`. They need Python 3.11 or newer, make and git.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
ICONS := bootstrap-icons-1.13.1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint soak audit icons

## Start web and worker with demonstration data. PORT=9000, HOST=0.0.0.0 and DEMO=0 change that.
run: .venv/installed .env staticfiles/staticfiles.json
	@exec $(BIN)/python manage.py up $(if $(HOST),--host $(HOST)) $(if $(filter 0 no false,$(DEMO)),--no-demo)

## The suite on SQLite, but for what opens browsers, stops processes, makes load or lets people race.
test: .venv/installed-dev .env staticfiles/staticfiles.json
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not browser and not fault and not load and not race"

lint: .venv/installed-dev .env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run

## The slow tests at full length.
soak: .venv/installed-dev .env staticfiles/staticfiles.json
	SOAK=1 $(BIN)/python -m pytest -m "browser or fault or load or race"

## Known holes in what we depend on. Strict: "could not be audited" fails as well.
audit: .venv/installed-dev
	$(BIN)/pip install --quiet pip-audit==2.10.1
	$(BIN)/pip-audit --strict -r requirements.txt

## Cut the icon sprite anew. For maintainers, the one step that needs npm.
icons: .venv/installed
	cd .venv && npm pack --silent $(subst -1,@1,$(ICONS)) && tar xzf $(ICONS).tgz
	$(BIN)/python scripts/build_icons.py .venv/package/bootstrap-icons.svg

# --- What the commands stand on: made once, and again when what they come from changed ------

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (or say which: make PYTHON=...)"; exit 1; }
	@echo "Setting up .venv, which takes a minute the first time"
	@$(PYTHON) -m venv .venv

.venv/installed: requirements.txt constraints.txt | .venv/bin/pip
	@$(BIN)/pip install --quiet -r requirements.txt
	@touch $@

.venv/installed-dev: requirements.txt requirements-dev.txt constraints.txt | .venv/bin/pip
	@$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch .venv/installed $@

.env:
	@$(PYTHON) scripts/write_env.py

staticfiles/staticfiles.json: .venv/installed $(shell find static) | .env
	@echo "Collecting static files"
	@$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
