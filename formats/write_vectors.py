"""Write the vectors of whole files: python formats/write_vectors.py [--replace NAME ...].

Golden files go to vectors/files/, broken ones to vectors/refused/, and vectors/LOCK gets the
SHA-256 of every vector. A file that exists and would change is left alone unless it is named
after `--replace`: a changed vector is a change of the format. No test runs this.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from vector_writer.describe import describe_file, describe_refusal, to_json
from vector_writer.golden import golden_files
from vector_writer.refused_codecs import MASKS, VALUES
from vector_writer.refused_coded import CODED
from vector_writer.refused_sections import SECTIONS
from vector_writer.refused_tables import PREAMBLE, TABLES
from vector_writer.refused_tensors import NAMES, TENSORS

from freezepack.format.writer import write_pack

VECTORS = Path(__file__).resolve().with_name("vectors")
REFUSALS = PREAMBLE + CODED + TABLES + TENSORS + NAMES + SECTIONS + MASKS + VALUES


def make_vectors() -> Iterator[tuple[str, bytes]]:
    """Yield the path of each vector below vectors/, without suffix, and both its files."""
    for file in golden_files():
        yield f"files/{file.name}.fpk", b"".join(write_pack(file.pack()))
        yield f"files/{file.name}.json", to_json(describe_file(file))
    for refusal in REFUSALS:
        data, offset = refusal.make()
        yield f"refused/{refusal.rule}.fpk", data
        yield f"refused/{refusal.rule}.json", to_json(describe_refusal(refusal, offset))


def write_lock() -> None:
    """Write the SHA-256 of every vector, generator vectors included."""
    paths = sorted(path for path in VECTORS.rglob("*.*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(VECTORS).as_posix()}\n"
        for path in paths
    ]
    (VECTORS / "LOCK").write_text("".join(lines))


def main(arguments: list[str]) -> int:
    """Write what is missing or named; return 1 if something else would have changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replace", nargs="+", default=[], metavar="NAME")
    replace = parser.parse_args(arguments).replace
    refused = False
    for name, data in make_vectors():
        path = VECTORS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == data:
            continue
        if path.exists() and path.stem not in replace:
            sys.stdout.write(f"{name}: differs, left alone; --replace {path.stem} writes it\n")
            refused = True
            continue
        path.write_bytes(data)
        sys.stdout.write(f"{name}: {len(data)} bytes written\n")
    write_lock()
    return int(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
