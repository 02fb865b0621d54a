#!/bin/sh
# Run all tests that need a GPU and all benchmarks of it, and print one table.
#
#   benchmarks/gpu.sh [--device cpu --elements 100000 --bytes 3000000 --rounds 2]
#
# Arguments go to benchmarks/gpu.py; those above try the script on a machine without a GPU.
# PYTHON names the interpreter. Results go to $OUT, or to benchmarks/results. What is missing is
# installed from pyproject.toml, and the C++ kernel is built if it is not there.
set -u
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
out=${OUT:-benchmarks/results}
mkdir -p "$out"
export PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}"

needed="numpy click zstandard torch triton safetensors pytest"
if ! "$python" -c "import importlib.util, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
sys.exit(f'not installed: {missing}' if missing else 0)" $needed; then
    "$python" -m pip install -e '.[torch,triton,test]' || exit 1
fi
if ! "$python" -c "import sys; from freezepack import native; sys.exit(native.library() is None)"; then
    "$python" setup.py -q build_ext --inplace || echo "no C++ kernel: the CPU's part is slow" >&2
fi

"$python" -c "import torch
found = torch.cuda.is_available()
print(torch.cuda.get_device_name() if found else 'no CUDA device: all tests are skipped')"
"$python" -m pytest -q -rfE -p no:cacheprovider tests/gpu >"$out/gpu-tests.txt" 2>&1
tests=$?
tail -n 15 "$out/gpu-tests.txt"
"$python" benchmarks/gpu.py --out "$out" "$@"
benchmarks=$?
[ "$tests" -eq 0 ] && [ "$benchmarks" -eq 0 ]
