#!/bin/sh
# Run as many experiments on a GPU as a given time allows, and bring back the table and the packs.
#
#   benchmarks/accuracy_gpu.sh [EXPERIMENT.toml ...]
#
# Without names: all of cifar-* and supermask-conv6, all runs of seed 1 first. Variables:
#
#   TIME_LIMIT  seconds after which no run is begun [540]
#   KILL_AFTER  seconds after which what runs is stopped; the next call goes on with it from its
#               last epoch, if RUNS is still there [TIME_LIMIT + 40]
#   JOBS        runs side by side on the GPU [4]; one thread of the CPU each
#   DEVICE      as torch names it [cuda]
#   OUT         where accuracy-gpu.csv and packs.tar go [benchmarks/results]
#   RUNS        folder of the runs [runs/bench]
#   PYTHON      the interpreter; what it lacks is installed from pyproject.toml
#   FREEZEPACK_DATA  folder that holds cifar-10 and cifar-100; else they are downloaded
#
# Afterwards, where the other results are:
#
#   freezepack bench accuracy --merge accuracy-gpu.csv
set -u
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
out=${OUT:-benchmarks/results}
limit=${TIME_LIMIT:-540}
[ $# -gt 0 ] || set -- benchmarks/accuracy/cifar-*.toml benchmarks/accuracy/supermask-conv6.toml
mkdir -p "$out"
export PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}"

needed="numpy click zstandard torch rich pooch"
if ! "$python" -c "import importlib.util, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
sys.exit(f'not installed: {missing}' if missing else 0)" $needed; then
    "$python" -m pip install -e '.[torch,bench]' || exit 1
fi
if ! "$python" -c "import sys; from freezepack import native; sys.exit(native.library() is None)"; then
    "$python" setup.py -q build_ext --inplace || echo "no C++ kernel: packing is slow" >&2
fi

# What stopped runs have come to is in RUNS, what ended ones have come to is in the table.
packs=$(mktemp -d)
timeout --signal=INT --kill-after=20 "${KILL_AFTER:-$((limit + 40))}" \
    "$python" -m freezepack bench accuracy "$@" -o "$out/accuracy-gpu.csv" \
    --runs "${RUNS:-runs/bench}" --device "${DEVICE:-cuda}" --jobs "${JOBS:-4}" \
    --order seeds --time-limit "$limit" --keep-packs "$packs"
result=$?
tar -cf "$out/packs.tar" -C "$packs" .
rm -rf "$packs"
"$python" -m freezepack bench accuracy "$@" -o "$out/accuracy-gpu.csv" --list | tail -n 12
exit "$result"
