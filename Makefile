# The two commands: `make run` and `make test`. Each first makes the environment in .venv.
PYTHON := .venv/bin/python

STACK := $(firstword $(shell scripts/choose-stack))
LOCK := $(wildcard requirements-$(STACK).lock)

# An environment whose interpreter is gone, or which was made elsewhere or for the other stack, is
# made again.
ifneq ($(shell $(PYTHON) -c pass 2>/dev/null && cat .venv/.locked 2>/dev/null),$(CURDIR) $(STACK))
$(shell rm -f .venv/.locked)
endif

.PHONY: run test coverage test-newest test-on-both stack setup browser prism lock clean

run: stack setup
	.venv/bin/greenlight run

# Whole files go to a worker, in the order of tests/conftest.py.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder --durations=20

test: stack setup browser
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/pytest $(SIDE_BY_SIDE)

coverage: setup browser
	.venv/bin/pytest $(SIDE_BY_SIDE) --cov --cov-report=
	@echo "Lines reached: $$(.venv/bin/coverage report --format=total)%; .venv/bin/coverage report -m names the others."

# The newest stack where this machine's own is the older one: in a Debian 13 (scripts/debian13).
test-newest: setup
	scripts/debian13 make test-on-both
	exchange="$$(scripts/debian13 --root)/exchange"; rm -rf "$$exchange" && \
	    $(PYTHON) -m tests.exchange "$$exchange" && \
	    scripts/debian13 .venv/bin/python -m tests.exchange /exchange && \
	    $(PYTHON) -m tests.exchange "$$exchange"

# From files to a pushed model and its answers, the served ones too, and the compiled job.
ON_BOTH := tests/schemas/test_stack.py tests/test_setup.py tests/components/example_gen/test_ipc.py \
    tests/components/example_gen/test_unchanged.py tests/components/example_gen/read/test_arrow_code.py \
    tests/components/explore/test_gather.py tests/pipeline/test_end_to_end.py \
    tests/serving/test_consistency.py tests/serving/test_tfserving.py tests/pipeline/vertex/test_compile.py

test-on-both: stack setup browser
	.venv/bin/pytest $(SIDE_BY_SIDE) $(ON_BOTH)

stack:
	@scripts/choose-stack | tail -n 1

setup: .venv/.ready

# The report is tested in a real browser, which no Python package brings along.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	    ! command -v $$name >/dev/null || exit 0; \
	done; \
	install="apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core"; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    echo "Installing Chromium, in which the report is tested."; \
	    export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && $$install >/dev/null; \
	else \
	    echo "The tests open the report in a browser: install one first (as root: $$install)."; \
	    exit 2; \
	fi

# Beam's second runner, for the tests that it does as this process does; without it they are skipped.
# Left as it is written, Go compiles it in three fifths of the time.
prism: setup
	@if ! command -v go >/dev/null; then \
	    echo "Prism is not installed: it is made with Go (https://go.dev), which is not here."; \
	elif [ ! -x .venv/bin/prism ]; then \
	    echo "Installing Prism, another runner of Beam; the first time takes some two minutes."; \
	    version=$$($(PYTHON) -c 'from importlib.metadata import version; print(version("apache-beam"))'); \
	    GOBIN=$(CURDIR)/.venv/bin nice go install -gcflags='all=-N -l' -ldflags='-s -w' \
	        github.com/apache/beam/sdks/v2/go/cmd/prism@v$$version; \
	fi

# The hashes of what the locks pin, anew; it needs uv.
lock:
	@command -v uv >/dev/null || { echo "Install uv first: https://docs.astral.sh/uv"; exit 2; }
	$(PYTHON) scripts/lock_hashes.py

clean:
	rm -rf .venv .python build *.egg-info

# The stamp comes last, so that an interrupted set-up is begun afresh. TFX's metadata alone refuses
# Python 3.11, hence --ignore-requires-python; the lock is complete, hence --no-deps. Builds use the
# locked setuptools. Bytecode is compiled whatever the environment says: TFX's import needs it.
.venv/.locked: $(LOCK) scripts/find-python
	@test -n "$(STACK)" || exit 2; python=$$(scripts/find-python $(STACK)) || exit 2; \
	echo "Setting up .venv with $$python; the first time takes some five minutes."; \
	unset PYTHONDONTWRITEBYTECODE; export PIP_ROOT_USER_ACTION=ignore; rm -rf .venv; set -e; \
	$$python -m venv --without-pip .venv; \
	site=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	awk '/^[^ #]/ {own = /^(packaging|pip|setuptools|wheel)==/} own' $(LOCK) >.venv/tools.lock; \
	for host in $$python python3; do \
	    ! $$host -m pip --version >/dev/null 2>&1 || break; \
	done; \
	$$host -m pip install -q --no-deps --require-hashes --target "$$site" -r .venv/tools.lock; \
	$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation \
	    --ignore-requires-python --require-hashes -r $(LOCK); \
	echo $(CURDIR) $(STACK) >$@

.venv/.ready: .venv/.locked setup.py pyproject.toml
	@$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
