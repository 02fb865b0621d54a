"""Index codec `probit`: one decision per position, from ratings of rows, columns and kernels.

Specification: formats/probit.md. `reference` is the yardstick, `kernel` its C++ twin.
"""
