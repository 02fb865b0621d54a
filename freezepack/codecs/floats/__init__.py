"""Value codec `float`: trained floating-point values, given the base; formats/floats.md.

Sign, exponent and the top bit of the fraction go through adaptive models; the bits below are noise
and stored as they are. Values far from their base are coded by themselves, values near it by the
distance in steps between neighbouring floating-point numbers.

    codec       what the container calls          parts       a value as sign, exponent, fraction
    kernel      its C++ twin                      head        the first bytes of a section
    reference   its Python twin                   model       adaptive bits to the coder
"""
