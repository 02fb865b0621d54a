"""What stands in the report, from top to bottom."""

from collections.abc import Iterator, Sequence

from freezepack.bench.report.arrange import Network
from freezepack.bench.report.compare import Rows, compare, tell_gap
from freezepack.bench.report.distortion import distortion_table, gather, smallest_table
from freezepack.bench.report.groups import Pair
from freezepack.bench.report.inputs import ACCURACY, Inputs
from freezepack.bench.report.layers import layers_table
from freezepack.bench.report.page import Block, Figure, Heading
from freezepack.bench.report.parts import by_model, parts_table, sizes_table
from freezepack.bench.report.plots.curves import picture_curves
from freezepack.bench.report.plots.densities import picture_densities
from freezepack.bench.report.plots.stacks import picture_stacks
from freezepack.bench.report.plots.tradeoff import picture_tradeoff
from freezepack.bench.report.runs import HOW, asked_table, rerun, runs_table
from freezepack.bench.report.show import name_method, name_options
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
CIFAR, MASKS = ("cifar-10", "cifar-100"), "edge-popup"


def build_page(inputs: Inputs) -> list[Block]:
    """Return the blocks of the report."""
    small = [network for network in inputs.networks if network.data not in CIFAR]
    large = [network for network in inputs.networks if network.data in CIFAR]
    blocks: list[Block] = [Heading(1, TITLE), INTRODUCTION, *_warnings(inputs)]
    blocks += [Heading(2, "Accuracy against freezing rate"), *_sweeps(small)]
    blocks += _compared(small, "Selection methods", "methods")
    blocks += _compared(small, "Initialisation schemes", "schemes")
    blocks += [Heading(2, "Error against bytes"), *_distortion(inputs)]
    blocks += [Heading(2, "Bytes by part"), *_parts(inputs)]
    blocks += [Heading(2, "Trained share of each layer"), *_layers(inputs.networks)]
    blocks += [Heading(2, "CIFAR-10 and CIFAR-100"), *_cifar(large, inputs)]
    blocks += [Heading(2, "Supermasks"), *_supermasks(inputs)]
    blocks += _others(inputs.networks)
    if inputs.asked:
        blocks += [Heading(2, "Experiments"), asked_table(inputs.asked)]
    first = inputs.networks[0].pairs or [Pair(inputs.networks[0].dense, None)]
    blocks += [Heading(2, "Runs behind the numbers"), HOW, rerun(first[0].groups[0])]
    return [*blocks, runs_table(inputs.groups)]


def _warnings(inputs: Inputs) -> Iterator[str]:
    runs = [run for group in inputs.groups for run in group.runs]
    found = warn_of_code(runs)
    if inputs.older:
        count = len(inputs.older)
        found.append(f"{count} older results of the same configurations are left out.")
    for text in found:
        yield f"**Mind:** {text}"


def _sweeps(networks: Sequence[Network]) -> Iterator[Block]:
    if picture := picture_curves(list(networks)):
        yield Figure(picture)
    for network in networks:
        if network.sweep:
            yield _compare_rates(network)


def _compare_rates(network: Network) -> Block:
    rows, lead = _by_rate(network), tell_gap(network.sweep)
    return compare(network.title, "freezing rate", rows, network.dense, lead)[0]


def _by_rate(network: Network) -> Rows:
    epochs = {pair.setup.epochs for pair in network.sweep}

    def label(pair: Pair) -> str:
        rate = pair.setup.freezing_rate
        return rate if len(epochs) == 1 else f"{rate} ({pair.setup.epochs} epochs)"

    return [(label(pair), pair) for pair in network.sweep]


def _compared(networks: Sequence[Network], heading: str, field: str) -> Iterator[Block]:
    """Yield the tables of methods or schemes, one for each network and freezing rate."""
    yield Heading(2, heading)
    name, is_empty = {"methods": "method", "schemes": "scheme"}[field], True
    for network in networks:
        for rate, pairs in getattr(network, field).items():
            main, is_empty = pairs[0].setup, False
            rows = []
            for pair in pairs:
                setup = pair.setup
                label = name_method(setup) if field == "methods" else setup.scheme
                options = name_options(setup, without=("strategy_args",))
                if options != name_options(main, without=("strategy_args",)):
                    label += f", {options}"
                rows.append((label, pair))
            yield _compare(f"{network.title}, freezing rate {rate}", name, rows, network)
    if is_empty:
        yield "Not measured yet; the experiments below have the commands."


def _compare(title: str, label: str, rows: Rows, network: Network) -> Block:
    return compare(title, label, rows, network.dense)[0]


def _distortion(inputs: Inputs) -> Iterator[Block]:
    for network in inputs.networks:
        found = gather(network, inputs.records, inputs.published)
        if not (found.published or found.records or network.lossy):
            continue  # nothing but what the sweep has shown
        if picture := picture_tradeoff(found):
            yield Figure(picture)
        if smallest := smallest_table(found):
            yield smallest
        yield distortion_table(found)[0]


def _parts(inputs: Inputs) -> Iterator[Block]:
    models = by_model(inputs.sizes)
    if picture := picture_stacks(models):
        yield Figure(picture)
    for name, sizes in models.items():
        yield sizes_table(name, sizes)
    for network in inputs.networks:
        if network.sweep:
            yield parts_table(network)[0]


def _layers(networks: Sequence[Network]) -> Iterator[Block]:
    if picture := picture_densities(networks):
        yield Figure(picture)
    for network in networks:
        if network.sweep:
            yield layers_table(network)[0]


def _cifar(networks: Sequence[Network], inputs: Inputs) -> Iterator[Block]:
    plain = [network for network in networks if network.sweep or network.methods]
    for network in plain:
        yield _compare_rates(network)
        for rate, pairs in network.methods.items():
            rows = [(name_method(pair.setup), pair) for pair in pairs]
            yield _compare(f"{network.title}, freezing rate {rate}", "method", rows, network)
    if not plain:
        yield _not_measured(inputs, "cifar")


def _supermasks(inputs: Inputs) -> Iterator[Block]:
    is_empty = True
    for network in inputs.networks:
        rows = []
        for pair in network.supermasks:
            options = name_options(pair.setup, without=("precision",))
            parts = [pair.setup.method, pair.setup.freezing_rate, options]
            rows.append((", ".join(filter(None, parts)), pair))
        if rows:
            is_empty = False
            title = f"{network.title}: no weight is trained"
            yield _compare(title, "method, share kept, options", rows, network)
    if is_empty:
        yield _not_measured(inputs, "supermask")


def _not_measured(inputs: Inputs, word: str) -> str:
    names = [asked.name for asked in inputs.asked if word in asked.name]
    commands = "; ".join(f"`freezepack bench accuracy benchmarks/accuracy/{n}.toml`" for n in names)
    return f"Not measured. {commands or 'There is no experiment for it'}."


def _others(networks: Sequence[Network]) -> Iterator[Block]:
    """Yield what stands nowhere else."""
    if any(network.others for network in networks):
        yield Heading(2, "Other runs")
    for network in networks:
        rows = []
        for pair in network.others:
            setup = pair.setup
            options = name_options(setup, without=("strategy_args",))
            parts = [setup.freezing_rate, name_method(setup), setup.scheme]
            parts += [f"{setup.epochs} epochs", options]
            rows.append((", ".join(filter(None, parts)), pair))
        if rows:
            yield _compare(network.title, "freezing rate, method, recipe", rows, network)
