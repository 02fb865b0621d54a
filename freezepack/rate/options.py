"""How weights become integers: what every run on grids shares."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GridOptions:
    """How weights become integers.

    Attributes
    ----------
    most : int
        Largest magnitude of a weight's integer. 2 costs about half a bit per trained weight more
        than 1 and is worth it; more is hardly used.
    coarseness : float
        First step of a weight's grid, in standard deviations of its initial values. Coarse
        grids begin with most weights at 0.
    vector_step : float
        Step of biases and other vectors, which is not learned.
    scale_lr : float
        Learning rate of the logarithm of a weight's step, as a part of that of the integers.
    ramp : float
        Share of the training during which the price rises to its full weight.
    hold_from : float
        Share of the training after which weights that keep flipping are held.
    refresh : int
        Most steps between two estimates of the prices.
    """

    most: int = 2
    coarseness: float = 2.5
    vector_step: float = 0.125
    scale_lr: float = 0.1
    ramp: float = 0.15
    hold_from: float = 0.75
    refresh: int = 100
