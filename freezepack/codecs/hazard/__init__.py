"""Index codec `hazard`: trained positions, predicted from the base; formats/hazard.md.

Every position has a rate: that of its level of |base|, times a factor of its row, times one of its
column. All three are learned while coding. A run of positions holds no trained one with
probability exp(-sum of rates), so one decision can pass over many frozen positions.

    codec       what the container calls          walk        the pass over a unit
    kernel      its C++ twin                      rates       the three factors
    search      choice of the preset byte         mixer       the correction of position decisions
    reference   its Python twin                   coder       decisions to bytes
    predicted   checks and calls of the kernel that `probit` shares
"""
