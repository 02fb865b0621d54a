"""Generalised synaptic scores: the common form of scores that can be combined.

They are of the form w * dR/dw for some scalar R of the network: the loss for SNIP (up to the
absolute value), half the squared norm of the gradient for GraSP, the flow for SynFlow, the L1 norm
of the weights for magnitude. COPS combines scores of this form; its exact definition was not at
hand, the form is that of Tanaka et al., arXiv:2006.05467, who call it synaptic saliency.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import SelectionError


def normalise(scores: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the scores of all tensors in one vector whose absolute values add up to 1.

    Parameters
    ----------
    scores : mapping of name to float64 array
        In file order. Not changed.

    Returns
    -------
    float64 array, shape (n,)
        In file order, each tensor in C order. Order and signs are those of the scores.

    Raises
    ------
    SelectionError
        If a score is not finite, or all are 0.

    Examples
    --------
    >>> normalise({"a": np.array([[1.0, -2.0]]), "b": np.array([5.0])}).tolist()
    [0.125, -0.25, 0.625]
    """
    for name, part in scores.items():
        if not np.isfinite(part).all():
            position = int((~np.isfinite(part)).reshape(-1).argmax())
            found = part.reshape(-1)[position]
            raise SelectionError(f"score {position} of {name!r} is {found}, expected a number")
    vector = np.concatenate([part.reshape(-1) for part in scores.values()])
    largest = np.abs(vector).max()
    if largest == 0:
        raise SelectionError("all scores are 0, so they cannot be weighed against others")
    scaled: NDArray[np.float64] = vector / largest  # so that the sum cannot overflow
    scaled /= np.abs(scaled).sum()
    return scaled
