"""Small ONNX models that regenerate their weights when they are loaded.

model       a dense model and a pack, to the small model
plan        what of the pack the graph makes, in groups; coded: how it holds values
weights     the nodes of all groups: generator, index, values, guard
functions   the generator as model-local functions
graph       nodes, initializers, short names; names: those of the dense model
memory      how much memory loading takes
two_file    generator and skeleton for large networks; loader runs them
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
