# make demo, make test, make slow, make check, make onnx-runtimes; everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= 2

.PHONY: demo test slow check onnx-runtimes clean

demo: .venv/.demo
	$(BIN)/freezepack demo

# Tests share the cores: threads of torch inside each of them would only wait for one another.
test slow: export OMP_NUM_THREADS = 1

test: .venv/.test
	$(BIN)/python -m pytest -n $(WORKERS)

slow: .venv/.test
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow and not gpu"

check: .venv/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

# Other versions of onnxruntime, and onnxruntime-web where there is node; needs a network.
onnx-runtimes: .venv/.test
	tests/contract/onnx_runtimes.sh build/onnx-runtimes -m "slow or not slow"

clean:
	rm -rf .venv build *.egg-info freezepack/native/_kernel.*

# torch is installed first and alone: its pinned version decides which build is taken.
.venv/.demo: pyproject.toml setup.py constraints.txt $(wildcard freezepack/native/csrc/*)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) "torch"
	$(PIP) -e ".[torch]"
	touch $@

.venv/.test: .venv/.demo
	$(PIP) -e ".[torch,test]"
	touch $@

.venv/.check: .venv/.test
	$(PIP) -e ".[torch,test,dev]"
	touch $@
