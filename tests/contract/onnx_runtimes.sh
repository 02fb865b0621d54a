#!/bin/sh
# Install other runtimes of ONNX into a folder and run the contract of exported models in them.
#
#     tests/contract/onnx_runtimes.sh [FOLDER] [arguments of pytest, as -m slow]
#
# Needs python3.11 or older (OLD_PYTHON), for which there are wheels of old versions, and npm; what
# is missing is left out. FOLDER, by default build/onnx-runtimes, is filled once (400 MB).
set -eu
folder=${1:-build/onnx-runtimes}
[ $# -eq 0 ] || shift
python=${PYTHON:-.venv/bin/python}
old_python=${OLD_PYTHON:-python3}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

interpreters=
for version in ${OLD_ORT:-1.17.0 1.20.1 1.27.0}; do
    place=$folder/python-$version
    if [ ! -e "$place/done" ]; then
        "$old_python" -m venv "$place"
        "$place/bin/python" -m pip install -q "onnxruntime==$version" "numpy<2"
        touch "$place/done"
    fi
    interpreters=$interpreters${interpreters:+:}$place/bin/python
done

packages=
if command -v npm > /dev/null && command -v node > /dev/null; then
    for version in ${ORT_WEB:-1.17.3 1.20.1 latest}; do
        place=$folder/web-$version
        if [ ! -e "$place/done" ]; then
            npm install --silent --no-audit --no-fund --prefix "$place" "onnxruntime-web@$version"
            touch "$place/done"
        fi
        packages=$packages${packages:+:}$place
    done
fi

OMP_NUM_THREADS=1 FREEZEPACK_OLD_ORT=$interpreters FREEZEPACK_ORT_WEB=$packages \
    "$python" -m pytest tests/contract/test_onnx.py tests/contract/test_onnx_packs.py "$@"
