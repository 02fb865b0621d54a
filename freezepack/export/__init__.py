"""Rebuilt networks as programs that run where freezepack is not installed."""

from freezepack.registry import Entry, Registry

EXPORTERS = Registry(
    "exporter",
    {
        "pt2": Entry("freezepack.export.pt2:export_pt2", "torch.export program with its weights"),
        "onnx": Entry("freezepack.export.onnx_export:export_onnx", "ONNX file with its weights"),
    },
)
