"""The page: literal tables for a small CSV, and HTML that holds the same."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from freezepack.bench.report.contents import build_page
from freezepack.bench.report.distortion import gather
from freezepack.bench.report.html import to_html
from freezepack.bench.report.inputs import read_inputs
from freezepack.bench.report.page import Figure, to_markdown
from freezepack.bench.report.plots.curves import picture_curves
from freezepack.bench.report.plots.labels import place_labels
from freezepack.bench.report.plots.spots import choose_spots
from freezepack.bench.tables import Table
from tests.unit.bench.report_rows import make_row, make_rows, write_rows

VOID = {"meta", "img", "source", "br", "hr", "link"}
SMALL = """\
### lenet5-caffe, MNIST

| freezing rate | share trained (weights + other values) | FreezeNet, % | of dense, % | FreezeNet \
file, bytes | rebuilt, bytes | rebuilt / file | pruned twin, % | twin file, bytes | FreezeNet - \
twin, points | n | runs |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | :-- |
| dense | 100 % (430,500 + 580) | 99.00 | - | 1,724,470 | 1,724,320 | 1.0 | - | - | - | 1† | \
[`{dense}`](#run-{dense}) |
| 0.9 | 10 % (43,050 + 580) | 98.50 ± 0.20 | 99.49 | 194,042 | 1,724,320 | 8.9 | 98.00 ± 0.10 | \
194,042 | +0.50 ± 0.10 | 3 | [`{frozen}`](#run-{frozen}) [`{pruned}`](#run-{pruned}) |
| 0.99 | 1 % (4,305 + 580) | 97.00 | 97.98 | 21,627 | 1,724,320 | 79.7 | - | - | - | 1† | \
[`{alone}`](#run-{alone}) |

The FreezeNet is at or above its twin at 1 of 1 rates, by +0.50 to +0.50 points.

Accuracy: test images classified rightly, mean ± standard deviation over n seeds. The test set was \
touched once, at the end of each run; recipes were chosen on the validation set.

Made by `freezepack bench accuracy benchmarks/accuracy/lenet5-mnist.toml`. 12 epochs; float32.

Some CPU, cpu, 1 thread (python 3.11, torch 2.13). 2026-11-21, 0.2 hours of training. Code \
`c0dec0dec0dec0de`, commit `abcdef123456`.

† Fewer than 3 seeds: not a finding yet.

`-` Not run.
"""


def small_rows() -> list[dict[str, str]]:
    rows = [make_row(freezing_rate="0", test_accuracy=0.99)]
    for fill, accuracies in (("seed", (0.983, 0.985, 0.987)), ("zeros", (0.979, 0.98, 0.981))):
        for seed, accuracy in enumerate(accuracies, 1):
            some = {"freezing_rate": "0.9", "fill": fill, "seed": seed}
            rows.append(make_row(**some, test_accuracy=accuracy))
    return [*rows, make_row(freezing_rate="0.99", test_accuracy=0.97)]


def markdown_of(folder: Path, rows: list[dict[str, str]], **tables: str) -> str:
    write_rows(folder / "accuracy.csv", rows)
    for name, text in tables.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(text)
    return to_markdown(build_page(read_inputs(folder, folder / "none")))


def section(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    _, _, rest = page.partition(f"# {heading}\n")
    return rest.partition("\n#")[0]


def test_a_small_table_is_literally_this(tmp_path: Path) -> None:
    rows = small_rows()
    names = ("dense", "frozen", "pruned", "alone")
    places = zip(names, (0, 1, 4, 7), strict=True)
    keys = {name: rows[at]["config"][:8] for name, at in places}
    assert SMALL.format(**keys) in markdown_of(tmp_path, rows)


def test_each_number_leads_to_its_configurations(tmp_path: Path) -> None:
    rows = small_rows()
    text = section(markdown_of(tmp_path, rows), "Runs behind the numbers")
    one, two, three = (row["config"] for row in rows[1:4])
    assert f"    freezepack bench accuracy --config {rows[0]['config']}\n" in text
    assert (
        f'| <a id="run-{one[:8]}"></a>`{one[:8]}` | lenet5-caffe, mnist | FreezeNet, q = 0.9 | '
        f"12 epochs | lenet5-mnist | `c0dec0dec0dec0de` | 1: `{one}` 2: `{two}` 3: `{three}` |\n"
    ) in text


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    page = markdown_of(tmp_path, small_rows())
    assert "Not measured yet; the experiments below have the commands." in page
    assert "Not measured. There is no experiment for it." in section(page, "Supermasks")
    assert "Other runs" not in page


def test_older_results_and_several_codes_are_told_at_the_top(tmp_path: Path) -> None:
    old = make_row(experiment="old", code="0" * 16, finished="2026-11-01T00:00:00Z")
    other = make_row(seed=2, code="1" * 16)
    head = markdown_of(tmp_path, [make_row(), old, other]).partition("\n## ")[0]
    assert "**Mind:** runs of lenet5-caffe, mnist, snip, one-shot come from several" in head
    assert "**Mind:** 1 older results of the same configurations are left out." in head


def test_error_against_bytes_has_ours_records_and_published(tmp_path: Path) -> None:
    rows = [
        make_row(seed=s, values=v, test_accuracy=a, validation_accuracy=a - 0.001, file_bytes=b)
        for s in (1, 2, 3)
        for v, a, b in (("lossless", 0.992, 9000), ("grid:2", 0.988, 2000), ("grid:1", 0.985, 2500))
    ]
    records = (
        "network,bytes,test_error,validation_error,setting,command\n"
        + "lenet5-caffe,1000,1.4,1.5,small,make record\n" * 3
    )
    published = (
        "network,data,method,year,bytes,test_error,size,source,remark\n"
        'lenet5-caffe,mnist,Peer,2018,1500,0.9,1.5 kB,arXiv:1234.56789 table 1,"quoted, not run"\n'
    )
    page = markdown_of(tmp_path, rows, records=records, published=published)
    key = rows[0]["config"][:8]
    trained = "1 % (4,305 + 580)"
    assert section(page, "Error against bytes: lenet5-caffe, MNIST").splitlines()[1:8] == [
        "| file | bytes | rebuilt, bytes | share trained (weights + other values) | "
        "test error, % | n | runs or source |",
        "| :-- | --: | --: | --: | --: | --: | :-- |",
        "| **trained for its file, small** | 1,000 | - | - | 1.40 ± 0.00 | 3 | records.csv |",
        "| *Peer (2018)* | 1,500 | - | - | 0.90 | - | "
        "[arXiv:1234.56789](https://arxiv.org/abs/1234.56789) table 1: 1.5 kB; quoted, not run |",
        f"| **FreezeNet, q = 0.99, grid:2** | 2,000 | 1,724,320 | {trained} | 1.20 ± 0.00 | 3 | "
        f"[`{key}`](#run-{key}) |",
        f"| FreezeNet, q = 0.99, grid:1 | 2,500 | 1,724,320 | {trained} | 1.50 ± 0.00 | 3 | "
        f"[`{key}`](#run-{key}) |",
        f"| **FreezeNet, q = 0.99, lossless** | 9,000 | 1,724,320 | {trained} | 0.80 ± 0.00 | 3 | "
        f"[`{key}`](#run-{key}) |",
    ]
    smallest = section(page, "Smallest files: lenet5-caffe, MNIST").splitlines()[3:5]
    assert smallest == [
        f"| 1.0 % | FreezeNet, q = 0.99, lossless | 9,000 | 0.90 ± 0.00 | 0.80 ± 0.00 | 3 | "
        f"[`{key}`](#run-{key}) | Peer, 1,500 bytes |",
        "| 1.6 % | trained for its file, small | 1,000 | 1.50 ± 0.00 | 1.40 ± 0.00 | 3 | "
        "`make record` | Peer, 1,500 bytes |",
    ]


def test_bytes_by_part_come_from_both_tables(tmp_path: Path) -> None:
    sizes = (
        "model,file,lossy,bytes,factor,index,values\n"
        "runs/a-q0.99/model.pt,dense,no,5000,1,,\nruns/a-q0.99/model.pt,pack,yes,100,50,20,70\n"
    )
    page = markdown_of(tmp_path, small_rows(), size_files=sizes)
    assert section(page, "Ways to store a-q0.99").splitlines()[3:5] == [
        "| **pack** | lossy | 10 | 20 | 70 | 100 |",
        "| dense | lossless | - | - | - | 5,000 |",
    ]
    parts = section(page, "Bytes by part, lossless: lenet5-caffe, MNIST").splitlines()[3:5]
    assert parts[0].startswith(
        "| 0.9 | 150 | 19,372 | 174,520 | 3.60 | 150 | 19,372 | 174,520 | 3.60 | 3 | [`"
    )
    assert parts[1].startswith("| 0.99 | 150 | 1,937 | 19,540 | 3.60 | - | - | - | - | 1† | [`")


def test_the_share_of_each_layer_is_a_table(tmp_path: Path) -> None:
    text = section(
        markdown_of(tmp_path, small_rows()), "Trained share of each layer: lenet5-caffe, MNIST"
    )
    assert text.splitlines()[1:5] == [
        "| layer | weights | 0.9 | 0.99 |",
        "| :-- | --: | --: | --: |",
        "| conv1.weight | 500 | 100 % | 40 % |",
        "| conv2.weight | 25,000 | 50 % | 5 % |",
    ]


def other_rows() -> list[dict[str, str]]:
    """Return runs by a longer recipe, of CIFAR, and of a supermask."""
    shift = '{"augmentation":"shift"}'
    long = {"epochs": 80, "options": shift, "experiment": "lenet5-headline", "file_bytes": 10_000}
    rows = [make_row(freezing_rate="0.995", test_accuracy=0.99, **long)]
    rows += [make_row(freezing_rate="0", test_accuracy=0.995, **{**long, "file_bytes": 1_500_000})]
    steps = '{"strategy_args":{"steps":100}}'
    for rate in ("0.95", "0.98", "0.99"):
        large = {"model": "vgg16-d", "data": "cifar-10", "freezing_rate": rate}
        rows += [make_row(**large), make_row(**large, fill="zeros")]
        rows += [make_row(**large, fill="zeros", strategy="force", options=steps)]
    mask = {"model": "conv6", "data": "cifar-10", "method": "edge-popup", "freezing_rate": "0.5"}
    return [*rows, make_row(**mask, options='{"method_args":{"lock":0.25,"prune":0.25}}')]


def test_recipes_have_tables_of_their_own(tmp_path: Path) -> None:
    page = markdown_of(tmp_path, [*small_rows(), *other_rows()])
    long = section(page, "lenet5-caffe, MNIST (80 epochs, augmentation=shift)").splitlines()
    assert long[3].startswith("| dense | 100 % (430,500 + 580) | 99.50 | - | 1,500,000 |")
    assert long[4].startswith(
        "| 0.995 | 0.5 % (2,153 + 580) | 99.00 | 99.50 | 10,000 | 1,724,320 |"
    )
    assert "80 epochs; float32; augmentation=shift." in "\n".join(long)
    assert section(page, "lenet5-caffe, MNIST (12 epochs)").count("\n| 0.9") == 2


def test_large_networks_and_supermasks_have_sections_of_their_own(tmp_path: Path) -> None:
    page = markdown_of(tmp_path, [*small_rows(), *other_rows()])
    first, large, masks = page.index("## Accuracy"), page.index("## CIFAR"), page.index("## Super")
    assert first < page.index("### lenet5-caffe, MNIST (12 epochs)\n") < large
    assert large < page.index("### vgg16-d, CIFAR-10\n") < masks
    force = "| snip, force, steps=100 | 1 % (4,305 + 580) | - | - | - | 1,724,320 | - | 98.50 |"
    assert force in section(page, "vgg16-d, CIFAR-10, freezing rate 0.99")
    mask = "| 0.5, lock=0.25, prune=0.25 | 50 % (215,250 + 580) | 98.50 |"
    assert mask in section(page, "conv6, CIFAR-10: no weight is trained")
    assert page.count("Not measured") == 2  # methods and schemes of the small networks


def test_no_two_pictures_have_one_name(tmp_path: Path) -> None:
    write_rows(tmp_path / "accuracy.csv", [*make_rows(), *other_rows()])
    blocks = build_page(read_inputs(tmp_path, tmp_path / "none"))
    names = [block.picture.name for block in blocks if isinstance(block, Figure)]
    assert names == ["accuracy", "error-bytes-lenet5-caffe-mnist", "layers", "accuracy-cifar"]


def test_a_pack_of_another_recipe_stands_apart(tmp_path: Path) -> None:
    write_rows(tmp_path / "accuracy.csv", [*make_rows(), *other_rows()])
    inputs = read_inputs(tmp_path, tmp_path / "none")
    studies = [study for study in inputs.studies if study.data == "mnist"]
    spots = choose_spots(gather(studies, [], []))
    assert spots is not None
    assert [spot[0] for spot in spots.frozen][:2] == ["q = 0.999", "q = 0.998"]
    assert spots.frozen_apart == (("q = 0.995, 80 epochs", 10_000, 1.0, 0.0),)
    assert spots.dense == 0.6
    assert spots.left_out == 0
    assert spots.has_few
    assert "has_few=True" in repr(picture_curves(studies))


def test_enough_seeds_are_not_called_few(tmp_path: Path) -> None:
    rates = ("0.9", "0.98", "0.99")
    rows = [make_row(freezing_rate=rate, seed=seed) for rate in rates for seed in (1, 2, 3)]
    write_rows(tmp_path / "accuracy.csv", rows)
    studies = read_inputs(tmp_path, tmp_path / "none").studies
    spots = choose_spots(gather(studies, [], []))
    assert spots is not None
    assert not spots.has_few
    assert "has_few=False" in repr(picture_curves(studies))


class Reader(HTMLParser):
    """Checks that what is opened is closed, and collects ids, links and cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_whole_linked_and_described(tmp_path: Path) -> None:
    html = to_html(markdown_of(tmp_path, make_rows()))
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    ids = [attrs["id"] for _, attrs in reader.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for tag, attrs in reader.seen if tag == "a" and "href" in attrs]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert sum(link.startswith("#run-") for link in links) > 20
    images = [attrs for tag, attrs in reader.seen if tag == "img"]
    assert len(images) >= 3
    assert all(len(image["alt"] or "") > 40 for image in images)
    heads = [attrs["scope"] for tag, attrs in reader.seen if tag == "th"]
    tags = [tag for tag, _ in reader.seen]
    assert heads.count("row") == tags.count("tr") - tags.count("table")
    boxes = [attrs for _, attrs in reader.seen if attrs.get("class") == "scroll"]
    assert len(boxes) == tags.count("table")
    assert {box["aria-labelledby"] for box in boxes} <= set(ids)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert html.count("<title>Accuracy and bytes</title>") == 1


def test_the_contents_come_before_the_first_section() -> None:
    html = to_html("# Top\n\nText.\n\n## One & two\n\n### Below\n\n## One & two\n")
    nav, first = html.index("<nav"), html.index('<h2 id="one-two">')
    assert nav < first
    assert '<li><a href="#one-two">One &amp; two</a></li>' in html
    assert '<li><a href="#one-two-again">One &amp; two</a></li>' in html
    assert "Below</a>" not in html


def test_notes_below_a_table_end_with_the_next_heading() -> None:
    html = to_html("# T\n\nA.\n\n| a |\n| :-- |\n| 1 |\n\nB.\n\nC.\n\n## H\n\nD.\n")
    assert "<p>A.</p>" in html
    assert '<p class="note">B.</p>' in html
    assert '<p class="note">C.</p>' in html
    assert "<p>D.</p>" in html


def test_a_bar_in_a_cell_stays_in_its_cell() -> None:
    text = to_markdown([Table("", ["a", "b"], [["x|y", 1]])])
    assert text.splitlines()[2] == "| x\\|y | 1 |"
    assert '<th scope="row" style="text-align:left">x|y</th>' in to_html(text)


def test_labels_keep_clear_of_each_other_and_of_the_frame() -> None:
    spots = [(50.0 + 8 * n, 60.0) for n in range(5)]
    sizes = [(60.0, 10.0)] * 5
    frame = (0.0, 0.0, 300.0, 140.0)
    offsets = place_labels(spots, sizes, frame, [])
    boxes = [
        (x + a, y + b, x + a + 60, y + b + 10)
        for (x, y), (a, b) in zip(spots, offsets, strict=True)
    ]
    for number, (left, low, right, top) in enumerate(boxes):
        assert left >= 0
        assert low >= 0
        assert right <= 300
        assert top <= 140
        for other in boxes[:number]:
            assert left >= other[2] or right <= other[0] or low >= other[3] or top <= other[1]
    assert offsets == place_labels(spots, sizes, frame, [])


def test_a_label_moves_from_an_obstacle() -> None:
    frame = (0.0, 0.0, 100.0, 100.0)
    above = (0.0, 55.0, 100.0, 100.0)
    assert place_labels([(50.0, 50.0)], [(20.0, 8.0)], frame, [above]) == [(-10.0, -15.0)]


@pytest.mark.parametrize("count", [0, 1])
def test_few_labels_are_no_problem(count: int) -> None:
    frame = (0.0, 0.0, 100.0, 100.0)
    assert len(place_labels([(5.0, 5.0)] * count, [(9.0, 9.0)] * count, frame, [])) == count
