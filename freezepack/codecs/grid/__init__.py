"""Value codec `grid`: trained values on a uniform grid around the base; formats/grid.md.

A value is float32((k >> t) + m * q) * (s * 2**t): k the integer from which the base was drawn, q a
small integer that is coded. Rounding values to a grid is done before, in freezepack.pack.lossy;
the codec writes values that lie on one, exactly.

    codec       what the container calls          model       how likely each q is
    step        q to values and back              reference   the Python twin
    kernel      its C++ twin
"""
