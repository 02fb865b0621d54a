"""Networks that are a seed, a few trained values and an index."""

__version__ = "0.1.0"
