"""What stands in the report, from top to bottom."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from freezepack.bench.report.arrange import CIFAR, Study
from freezepack.bench.report.compare import compare, tell_gap
from freezepack.bench.report.distortion import distortion_table, gather, smallest_table
from freezepack.bench.report.inputs import ACCURACY, Inputs
from freezepack.bench.report.layers import layers_table
from freezepack.bench.report.page import Block, Figure, Heading
from freezepack.bench.report.parts import by_model, parts_table, sizes_table
from freezepack.bench.report.plots.curves import picture_curves
from freezepack.bench.report.plots.densities import picture_densities
from freezepack.bench.report.plots.stacks import picture_stacks
from freezepack.bench.report.plots.tradeoff import picture_tradeoff
from freezepack.bench.report.runs import HOW, asked_table, rerun, runs_table
from freezepack.bench.report.show import name_method
from freezepack.bench.report.sources import warn_of_code

COMMAND = "freezepack bench report"
TITLE = "Accuracy and bytes"
INTRODUCTION = (
    f"Made from [{ACCURACY}]({ACCURACY}) and the other tables beside it by `{COMMAND}`; nothing "
    "here is written by hand. Four numbers are told apart throughout: the **share trained** (of "
    "the weights that can be frozen), the **bytes on disk** of the whole file, the **rebuilt "
    "bytes** of the dense tensors that come out of it, and the **accuracy** with mean, standard "
    "deviation and number of seeds n. A *FreezeNet* keeps its frozen weights at the random values "
    "of its seed; its *pruned twin* has the same masks, seeds and training, and frozen weights of "
    "0. Differences are taken seed by seed. Files are lossless unless a grid is named."
)


def build_page(inputs: Inputs) -> list[Block]:
    """Return the blocks of the report."""
    small = [study for study in inputs.studies if study.data not in CIFAR]
    large = [study for study in inputs.studies if study.data in CIFAR]
    blocks: list[Block] = [Heading(1, TITLE), INTRODUCTION, *_warnings(inputs)]
    blocks += [Heading(2, "Accuracy against freezing rate"), *_sweeps(small)]
    blocks += [Heading(2, "Selection methods"), *_compared(small, "methods")]
    blocks += [Heading(2, "Initialisation schemes"), *_compared(small, "schemes")]
    blocks += [Heading(2, "Error against bytes"), *_distortion(inputs)]
    blocks += [Heading(2, "Bytes by part"), *_parts(inputs)]
    blocks += [Heading(2, "Trained share of each layer"), *_layers(inputs.studies)]
    blocks += [Heading(2, "CIFAR-10 and CIFAR-100"), *_cifar(large, inputs)]
    blocks += [Heading(2, "Supermasks"), *_supermasks(inputs)]
    blocks += _others(inputs.studies)
    if inputs.asked:
        blocks += [Heading(2, "Experiments"), asked_table(inputs.asked)]
    blocks += [Heading(2, "Runs behind the numbers"), HOW, rerun(inputs.groups[0])]
    return [*blocks, runs_table(inputs.groups)]


def _warnings(inputs: Inputs) -> Iterator[str]:
    runs = [run for group in inputs.groups for run in group.runs]
    found = warn_of_code(runs)
    if inputs.older:
        count = len(inputs.older)
        found.append(f"{count} older results of the same configurations are left out.")
    for text in found:
        yield f"**Mind:** {text}"


def _sweeps(studies: Sequence[Study], name: str = "accuracy") -> Iterator[Block]:
    if picture := picture_curves(studies, name):
        yield Figure(picture)
    for study in studies:
        if study.has_sweep:
            rows = [(pair.setup.freezing_rate, pair) for pair in study.sweep]
            yield compare(study.title, "freezing rate", rows, study.dense, tell_gap(study.sweep))


def _compared(studies: Sequence[Study], field: str) -> Iterator[Block]:
    """Yield the tables of methods or schemes, one for each study and freezing rate."""
    is_empty = True
    for study in studies:
        for rate, pairs in getattr(study, field).items():
            is_empty = False
            title = f"{study.title}, freezing rate {rate}"
            if field == "methods":
                rows = [(name_method(pair.setup), pair) for pair in pairs]
            else:
                rows = [(pair.setup.scheme, pair) for pair in pairs]
            yield compare(title, field[:-1], rows, study.dense)
    if is_empty:
        yield "Not measured yet; the experiments below have the commands."


def _distortion(inputs: Inputs) -> Iterator[Block]:
    for _, some in groupby(inputs.studies, key=lambda study: study.slug):
        studies = list(some)
        found = gather(studies, inputs.records, inputs.published)
        if not (found.published or found.records or any(study.lossy for study in studies)):
            continue  # nothing but what the sweep has shown
        if picture := picture_tradeoff(found):
            yield Figure(picture)
        if smallest := smallest_table(found):
            yield smallest
        yield distortion_table(found)


def _parts(inputs: Inputs) -> Iterator[Block]:
    models = by_model(inputs.sizes)
    if picture := picture_stacks(models):
        yield Figure(picture)
    for name, sizes in models.items():
        yield sizes_table(name, sizes)
    for study in inputs.studies:
        if study.has_sweep:
            yield parts_table(study)


def _layers(studies: Sequence[Study]) -> Iterator[Block]:
    if picture := picture_densities(studies):
        yield Figure(picture)
    for study in studies:
        if study.has_sweep and study.is_first:
            yield layers_table(study)


def _cifar(studies: Sequence[Study], inputs: Inputs) -> Iterator[Block]:
    shown = [study for study in studies if study.sweep or study.methods or study.schemes]
    if not shown:
        yield _not_measured(inputs, "cifar")
        return
    yield from _sweeps(shown, "accuracy-cifar")
    yield from _compared(shown, "methods")


def _supermasks(inputs: Inputs) -> Iterator[Block]:
    is_empty = True
    for study in inputs.studies:
        rows = []
        for pair in study.supermasks:
            options = pair.setup.arguments.get("method_args", {})
            parts = [pair.setup.freezing_rate, *(f"{k}={v}" for k, v in options.items())]
            rows.append((", ".join(parts), pair))
        if rows:
            is_empty = False
            title = f"{study.title}: no weight is trained"
            yield compare(title, "share kept, options", rows, study.dense)
    if is_empty:
        yield _not_measured(inputs, "supermask")


def _not_measured(inputs: Inputs, word: str) -> str:
    commands = [f"`{asked.command}`" for asked in inputs.asked if word in asked.name]
    return f"Not measured. {'; '.join(commands) or 'There is no experiment for it'}."


def _others(studies: Sequence[Study]) -> Iterator[Block]:
    """Yield what stands nowhere else."""
    if any(study.others for study in studies):
        yield Heading(2, "Other runs")
    for study in studies:
        rows = []
        for pair in study.others:
            setup = pair.setup
            rows.append((f"{setup.freezing_rate}, {name_method(setup)}, {setup.scheme}", pair))
        if rows:
            yield compare(study.title, "freezing rate, method, scheme", rows, study.dense)
