"""Other coders of the same masks, each given what a decoder would know: the tensors' sizes.

Every one returns the mask it was given, or the measurement stops. A coder whose package is not
installed is left out, and the tables say so.
"""

from freezepack.registry import Entry, Registry

PEERS = Registry(
    "peer",
    {
        "pcodec": Entry(
            "freezepack.bench.peers.pco:FLAT", "gaps over all tensors, level 12", "pcodec"
        ),
        "pcodec-per-tensor": Entry(
            "freezepack.bench.peers.pco:PER_TENSOR", "gaps, one stream each, level 12", "pcodec"
        ),
        "zstd-gaps": Entry(
            "freezepack.bench.peers.zstd:GAPS", "gaps as varints, level 19", "zstandard"
        ),
        "zstd-bitmap": Entry(
            "freezepack.bench.peers.zstd:BITMAP", "one bit for each position, level 19", "zstandard"
        ),
        "constriction": Entry(
            "freezepack.bench.peers.bernoulli:BERNOULLI",
            "range coder, one probability for each tensor",
            "constriction",
        ),
        "block-rice": Entry(
            "freezepack.bench.peers.rice:RICE", "gaps, a Rice parameter for every 16", ""
        ),
    },
)
