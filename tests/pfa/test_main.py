"""``python -m pfa explain``: the generated Python, the same every time."""

from pathlib import Path

import pytest

from pfa.__main__ import main

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["hello", "real_estate", "credit"])
def test_explain(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """After a change of the compiler: ``python -m pfa explain`` writes these files anew."""
    assert main(["explain", str(ROOT / f"models/{name}.pfa")]) == 0
    shown = capsys.readouterr().out
    assert shown == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_what_cannot_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.pfa"
    assert main(["explain", str(path)]) == 1
    path.write_text('{"input": "int"')
    assert main(["explain", str(path)]) == 1
    assert "line 1 column 16" in capsys.readouterr().err
