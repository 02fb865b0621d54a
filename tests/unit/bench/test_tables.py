"""Tables say where their numbers come from."""

from freezepack.bench.machine import describe_machine
from freezepack.bench.tables import Table, to_csv, to_markdown


def test_csv_keeps_full_numbers() -> None:
    assert to_csv(Table("t", ["a", "b"], [["x,y", 1234567]])) == 'a,b\n"x,y",1234567\n'


def test_a_page_has_its_origin_tables_and_notes() -> None:
    table = Table("sizes", ["name", "bits"], [["a", 2.5]], ["One note.", "Another."])
    assert to_markdown([table], "Results", {"seeds": "1, 2"}) == (
        "# Results\n\n- seeds: 1, 2\n\n## sizes\n\n| name | bits |\n| :-- | --: |\n| a | 2.50 |\n"
        "\nOne note.\n\nAnother.\n"
    )


def test_the_machine_names_processor_versions_and_commit() -> None:
    about = describe_machine()
    assert list(about) == ["processor", "system", "python", "packages", "kernel", "freezepack"]
    assert "numpy " in about["packages"]
    assert about["freezepack"].startswith("0.")
