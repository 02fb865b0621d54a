"""Small affine changes of images: turned, stretched, slanted, moved, by words of the generator."""

import torch
import torch.nn.functional as F
from torch import Tensor

TURN, STRETCH, SLANT, MOVE = 0.2, 0.12, 0.15, 2.0
"""Largest turn in radians, share of width and of height, share of slant, and pixels of a move."""
_FIELDS = (5, 5, 5, 5, 6, 6)
"""Bits of a word for turn, width, height, slant, and moves right and down: 32 in all."""


def affine(images: Tensor, drawn: Tensor, strength: float = 1.0) -> Tensor:
    """Change each image by its own small affine map.

    Parameters
    ----------
    images : uint8 Tensor, shape (n, channels, height, width)
        Not changed.
    drawn : int64 Tensor, shape (n,)
        Words, 0 to 2**32 - 1; each of six parameters takes 5 or 6 bits of one, evenly spaced.
    strength : float
        Factor of all six ranges.

    Returns
    -------
    uint8 Tensor, shape (n, channels, height, width)
        Bilinear; what comes in is 0.

    Examples
    --------
    >>> image = torch.full((1, 1, 8, 8), 9, dtype=torch.uint8)
    >>> affine(image, torch.tensor([0x84210841]), strength=0.0)[0, 0, 4, 4].item()
    9
    """
    turn, wide, high, slant, right, down = _parameters(drawn, strength)
    height, width = images.shape[2:]
    cosine, sine = torch.cos(turn), torch.sin(turn)
    first = torch.stack([cosine * wide, slant * cosine - sine * high, right * (2 / width)], 1)
    second = torch.stack([sine * wide, slant * sine + cosine * high, down * (2 / height)], 1)
    grid = F.affine_grid(torch.stack([first, second], 1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images.to(torch.float32), grid, align_corners=False)
    return moved.round_().clamp_(0, 255).to(torch.uint8)


def _parameters(drawn: Tensor, strength: float) -> tuple[Tensor, ...]:
    """Return turn, width, height, slant, and moves in pixels, float32 each."""
    rest, parts = drawn, []
    for bits in _FIELDS:
        levels = 1 << bits
        parts.append(((rest % levels).to(torch.float32) * 2 + 1) / levels - 1)
        rest = rest // levels
    turn, wide, high, slant, right, down = parts
    return (
        turn * (TURN * strength),
        1 + wide * (STRETCH * strength),
        1 + high * (STRETCH * strength),
        slant * (SLANT * strength),
        right * (MOVE * strength),
        down * (MOVE * strength),
    )
