"""Where the published data sets are, for tests that need real data."""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
PUBLISHED = Path(os.environ.get("FREEZEPACK_DATA") or _BESIDE)
"""Parent of mnist/, cifar-10/, ...; tests skip, and say so, where a set is not there."""
