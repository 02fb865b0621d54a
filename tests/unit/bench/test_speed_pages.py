"""Tables and pictures show the rows they were given."""

import io
from typing import Any

import pytest

from freezepack.bench.speed.bars import picture_fills, picture_loads
from freezepack.bench.speed.cases import FILL, PEER, REBUILD
from freezepack.bench.speed.report import (
    decoding_tables,
    generator_tables,
    load_tables,
    show,
    startup_tables,
)

Row = dict[str, Any]


def fill_row(path: str, draw: str, speed: float, work: str = FILL, threads: int = 1) -> Row:
    return {
        "path": path,
        "draw": draw,
        "dtype": "float32",
        "elements": 11_000_000,
        "threads": threads,
        "work": work,
        "seconds": 0.044 / speed,
        "gb_per_s": speed,
        "elements_per_s": speed / 4 * 1e9,
        "memcpy_gb_per_s": 12.0,
        "memcpy_ratio": speed / 12,
        "torch_ratio": None if path == "numpy" else speed,
        "fill_ratio": None if work == FILL else 0.9,
        "rounds": 9,
    }


FILLS = [
    fill_row("native avx512", "normal", 4.0),
    fill_row("native avx512", "normal", 3.6, REBUILD),
    fill_row(PEER, "normal", 1.2),
    fill_row("numpy", "normal", 0.24),
    fill_row("native avx512", "uniform", 6.0),
    fill_row("native avx512", "uniform", 5.0, REBUILD),
    fill_row(PEER, "uniform", 1.4),
    fill_row("numpy", "uniform", 0.6),
    fill_row("native avx512", "normal", 8.0, threads=2),
]


def load_row(file: str, cache: str, seconds: float, nbytes: int | None) -> Row:
    return {
        "file": file,
        "cache": cache,
        "weights": 100_000_000,
        "threads": 2,
        "file_bytes": nbytes,
        "seconds": seconds,
        "least_seconds": seconds / 2,
        "gb_per_s": 0.4 / seconds,
        "times_pack": seconds / 0.2,
        "checked": None if nbytes is None else file.startswith("pack"),
        "rounds": 5,
    }


LOADS = [
    load_row("pack, fast index", "warm", 0.2, 4_827_028),
    load_row("torch.load", "warm", 0.0612, 400_006_426),
    load_row("memcpy to fresh memory", "warm", 0.05, None),
    load_row("pack, fast index", "cold", 0.21, 4_827_028),
    load_row("torch.load", "cold", 0.3, 400_006_426),
]


def test_fills_have_a_table_for_each_size_and_number_of_threads() -> None:
    one, two = generator_tables(FILLS)
    assert (one.title, two.title) == (
        "11,000,000 elements, 1 thread",
        "11,000,000 elements, 2 threads",
    )
    assert one.rows[1] == [
        *("native avx512", "normal", "float32", "with patch and digest"),
        *(3.6, 0.9, "0.30", "3.60", "0.90"),
    ]
    assert one.rows[3][6:] == ["0.020", "-", "-"]
    assert not one.notes
    assert "median of the ratios of such pairs" in two.notes[0]


def test_loads_say_milliseconds_and_what_is_checked() -> None:
    [table] = load_tables(LOADS)
    assert table.title == "100,000,000 weights, 2 threads"
    assert table.rows[0][:5] == ["pack, fast index", "warm", 4_827_028, 200.0, 100.0]
    assert [row[7] for row in table.rows] == ["yes", "no", "-", "yes", "no"]


def test_decoding_has_a_table_for_indices_and_one_for_values() -> None:
    row = {"part": "values", "codec": "raw", "freezing_rate": "0.99", "weights": 1000}
    row |= {"trained": 10, "seconds": 1e-6, "weights_per_s": 1e9, "trained_per_s": 1e7}
    tables = decoding_tables([row, row | {"part": "index", "codec": "gaps"}])
    assert [table.title for table in tables] == [
        "Indices of 1,000 weights",
        "Values of 1,000 weights",
    ]
    assert tables[1].rows == [["raw", "0.99", 10, "0.001", "1,000", "10"]]
    assert [table.title for table in decoding_tables([row])] == ["Values of 1,000 weights"]


def test_starting_is_in_milliseconds() -> None:
    row = {"command": "import freezepack", "seconds": 0.0312, "seconds_beyond_python": 0.0098}
    assert startup_tables([row])[0].rows == [["import freezepack", 31, 10]]


@pytest.mark.parametrize("make", [generator_tables, load_tables, decoding_tables])
def test_nothing_measured_gives_no_table(make: Any) -> None:
    assert make([]) == []


def test_the_picture_of_fills_has_a_row_for_each_path_and_memcpy_as_a_line() -> None:
    picture = picture_fills(FILLS)
    assert picture is not None
    normal, uniform = picture.panels
    assert [(bar.name, bar.label, bar.kind) for bar in normal.bars] == [
        ("AVX-512", "4.0", "ours"),
        ("with patch and digest", "3.6", "tint"),
        ("torch normal_, uniform_", "1.2", "others"),
        ("NumPy reference", "0.24", "ours"),
    ]
    assert [bar.name for bar in uniform.bars] == [bar.name for bar in normal.bars]
    assert (normal.line, normal.line_label, normal.limit) == (12.0, "memcpy 12", 12.0)
    assert picture.title == "Drawing 11 million weights, one thread"


def test_the_picture_of_loads_is_ordered_by_cold_time() -> None:
    picture = picture_loads(LOADS)
    assert picture is not None
    cold, warm = picture.panels
    assert [bar.name for bar in cold.bars] == [
        "freezepack, fast index  ·  4.8 MB",
        "torch.load  ·  400 MB",
    ]
    assert [bar.label for bar in warm.bars] == ["200", "61"]
    assert (cold.line, warm.line, warm.line_label) == (None, 50.0, "memcpy 50")
    assert picture.unit == "milliseconds with 2 threads, shorter is better"


def test_rows_that_make_no_picture_make_none() -> None:
    assert picture_fills([]) is None
    assert picture_fills([row for row in FILLS if row["draw"] == "normal"]) is None
    assert picture_fills([row for row in FILLS if row["threads"] == 2]) is None
    assert picture_loads([]) is None
    assert picture_loads([row for row in LOADS if row["cache"] == "warm"]) is None


def test_pictures_are_small_twice_as_wide_as_shown_and_always_the_same() -> None:
    pytest.importorskip("matplotlib")
    from PIL import Image

    from freezepack.bench.speed.plots import draw_pictures

    parts: dict[str, list[Row]] = {"generator": FILLS, "load": LOADS, "startup": [{}]}
    found = draw_pictures(parts)
    assert list(found) == [
        f"speed-{part}-{theme}.png" for part in ("generator", "load") for theme in ("light", "dark")
    ]
    corners = []
    for data in found.values():
        assert len(data) < 60_000
        with Image.open(io.BytesIO(data)) as image:
            assert image.width == 1600
            corners.append(image.convert("RGB").getpixel((0, 0)))
    assert corners == [(255, 255, 255), (13, 17, 23)] * 2
    assert draw_pictures(parts) == found


def test_numbers_have_two_digits_or_three() -> None:
    assert [show(x) for x in (0.0456, 0.5, 9.96, 42.9, 1234.5)] == [
        *("0.05", "0.50", "10.0", "43", "1,234"),
    ]
