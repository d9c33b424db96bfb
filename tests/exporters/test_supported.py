"""The list of docs/exporting.md, written by `python -m tests.exporters.test_supported`."""

import re
from itertools import groupby
from pathlib import Path

import pytest

DOC = Path(__file__).resolve().parents[2] / "docs" / "exporting.md"
NAMES = {
    "sklearn": "scikit-learn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "pyspark": "Spark",
}
LIST = re.compile(r"(<!-- supported: .* -->\n)(.*)(<!-- end -->)", re.DOTALL)


def lines() -> str:
    from exporters.supported import MODELS, TRANSFORMERS

    out = []
    for what, table in (("models", MODELS), ("before a model", TRANSFORMERS)):
        for library, names in groupby(sorted(table), lambda name: name.partition(".")[0]):
            listed = ", ".join(f"`{name.partition('.')[2]}`" for name in names)
            out.append(f"- {NAMES[library]}, {what}: {listed}\n")
    return "".join(out)


def test_the_list_is_whole():
    pytest.importorskip("sklearn")
    found = LIST.search(DOC.read_text("utf-8"))
    assert found is not None
    assert found[2] == f"\n{lines()}\n"


def test_each_function_is_there():
    pytest.importorskip("sklearn")
    from importlib import import_module

    from exporters.supported import SUPPORTED

    for place in SUPPORTED.values():
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(f"exporters.{module}"), name))


if __name__ == "__main__":
    text = DOC.read_text("utf-8")
    DOC.write_text(LIST.sub(lambda found: f"{found[1]}\n{lines()}\n{found[3]}", text), "utf-8")
