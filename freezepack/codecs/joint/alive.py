"""Which rows and channels of a matrix hold anything; formats/joint.md, section 6."""

from collections.abc import Sequence

from freezepack.codecs.joint.model import Counter, Decider, Effect, effects
from freezepack.codecs.joint.priors import CHANNEL, LINE, NEAR, Prior
from freezepack.codecs.joint.shapes import Grid

_ABSENT = 2
_FED_DEAD, _FED_LIVES = 2, 3


def code_rows(decider: Decider, prior: Prior, alive: Sequence[int]) -> list[int]:
    """Code whether each row holds anything; return the numbers of those that do."""
    after = (
        Counter(prior.row_stays, prior.row_turns),
        Counter(prior.row_turns, prior.row_stays),
    )
    last, found = 1, []
    for row, bit in enumerate(alive):
        last = decider.decide_counted(after[last], bit)
        if last:
            found.append(row)
    return found


def code_channels_after(
    decider: Decider, prior: Prior, before: Sequence[int], alive: Sequence[int]
) -> list[int]:
    """Code which channels hold anything, given what the rows hold that feed them.

    Parameters
    ----------
    before : sequence of int
        Trained positions of each row of the predecessor.
    """
    dead = Counter(prior.channel_dies, _FED_DEAD)
    live = Counter(_FED_LIVES, prior.channel_lives)
    found: list[int] = []
    for channel, bit in enumerate(alive):
        counter = live if before[channel] else dead
        if _must_live(found, channel, alive) or decider.decide_counted(counter, bit):
            found.append(channel)
    return found


def code_channels_alone(decider: Decider, grid: Grid, alive: Sequence[int]) -> list[int]:
    """Code which channels hold anything, given those before and, in an image, above."""
    image, w = grid.form == 1, grid.width
    distances = (1, 2, w, w - 1, w + 1, 2 * w) if image else (1, 2)
    bias = Effect(CHANNEL)
    near = [[Effect(start) for start in starts] for starts in NEAR]
    lines = effects(LINE, len(alive) // w + 1)
    places = effects(LINE, w)
    found: list[int] = []
    state: list[int] = []
    for channel, bit in enumerate(alive):
        lives = 1
        if not _must_live(found, channel, alive):
            decider.add(bias)
            for effect, distance in zip(near, distances, strict=False):
                place = channel - distance
                decider.add(effect[state[place] if place >= 0 else _ABSENT])
            if image:
                decider.add(lines[channel // w])
                decider.add(places[channel % w])
            lives = decider.decide(bit)
        state.append(lives)
        if lives:
            found.append(channel)
    return found


def _must_live(found: Sequence[int], channel: int, alive: Sequence[int]) -> bool:
    """Return whether this is the last channel and all before are dead: one of them lives."""
    return not found and channel == len(alive) - 1
