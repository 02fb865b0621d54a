"""`freezepack bench speed`: generators, loading, decoding and starting, beside what else there is.

Every figure is a median over rounds in which all candidates take turns, each next to a reference
run of its own, so that a busy moment hits both. Ratios are medians of the ratios of such pairs.
"""
