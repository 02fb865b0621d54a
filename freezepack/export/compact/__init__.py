"""Small ONNX models that regenerate their weights when they are loaded.

    model       a dense model and a pack, to the small model
    plan        what of the pack the graph makes; coded: how it holds values
    groups      tensors that one chain of nodes makes
    weights     the nodes of all groups: generator, index, values, guard
    functions   the generator as model-local functions
    graph       nodes, initializers, short names; names: those of the dense model
    memory      how much memory loading takes
    pair        generator and skeleton for large networks; loader runs them

Bytes of a LeNet-5-Caffe with 2,152 trained weights and 580 trained biases (dense: 1,725,028):

    trained values as           float32    float16   grid std/8   float32, pruned
    values                        8,622      4,319        3,221             8,622
    biases                        2,401      1,174          594             2,401
    index, varint gaps            2,393      2,393        2,393             2,393
    table of the normal draw        910        910          910                 -
    functions                     1,859      1,859        1,859                 -
    nodes that make weights         609        731        1,169               274
    their small constants           273        292          423               146
    nodes of the network            367        367          367               367
    inputs, outputs, versions        98         98           98                82
    total                        17,532     12,142       11,034            14,285

The guard takes 144 to 158 of these bytes. A uniform draw needs 1,530 less: no table and shorter
functions. Tried, and not worth their nodes: third differences in place of the table (590 bytes
and 110 of nodes instead of 768), a bitmap for the one dense tensor (saves 192, a second group
costs 400), gaps of four bits (save 340, cost 250, and lose on sparse tensors).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freezepack.export.compact.loader import load_session
    from freezepack.export.compact.memory import Estimate, estimate_memory
    from freezepack.export.compact.model import compact_model
    from freezepack.export.compact.pair import two_file

__all__ = ["Estimate", "compact_model", "estimate_memory", "load_session", "two_file"]
_PLACES = {
    "Estimate": "memory",
    "compact_model": "model",
    "estimate_memory": "memory",
    "load_session": "loader",
    "two_file": "pair",
}


def __getattr__(name: str) -> Any:
    """Import a function when it is asked for: the loader must work without onnx."""
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
