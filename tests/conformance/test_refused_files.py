"""Every broken file is refused with the expected kind, field and offset."""

import re

import pytest

from freezepack.errors import (
    CorruptError,
    FormatError,
    LimitError,
    NotFreezepackError,
    TruncatedError,
    VersionError,
)
from freezepack.format.reader import PackReader
from freezepack.rebuild.rebuilder import Rebuilder
from tests.conformance.vectors import REFUSED, refused, specification

KINDS = {
    "not freezepack": NotFreezepackError,
    "version": VersionError,
    "truncated": TruncatedError,
    "corrupt": CorruptError,
    "limit": LimitError,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused(name: str) -> None:
    data, expected = refused(name)
    with pytest.raises(KINDS[expected["kind"]]) as caught:  # noqa: PT012
        reader = PackReader(data)
        assert expected["stage"] == "load"
        rebuilder = Rebuilder(reader)
        for tensor in reader.header.tensors:
            rebuilder.tensor(tensor)
    error = caught.value
    assert isinstance(error, FormatError)
    assert type(error) is KINDS[expected["kind"]]
    assert (error.field, error.offset) == (expected["field"], expected["offset"])


def test_every_rule_of_the_specification_has_a_file() -> None:
    table = specification().split("## 11. All rules")[1]
    rows = re.findall(
        r"^\| ([\w-]+) \| [^|]+ \| ([\w ]+) \| `(\w+)` \| (open|load) \|$", table, re.M
    )
    assert len(rows) > 100
    found = []
    for name in REFUSED:
        expected = refused(name)[1]
        assert expected["rule"] == name
        found.append((name, expected["kind"], expected["field"], expected["stage"]))
    assert sorted(rows) == sorted(found)
