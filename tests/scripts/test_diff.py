"""The whole of `make diff`: what it prints, how it ends, the picture."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.diff import __main__ as diff
from scripts.diff import histogram
from scripts.local_cloud import ROOT

MODELS = ROOT / "models"
LINE = MODELS / "real_estate.pfa"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.ndjson"
    homes = [{"distance": distance} for distance in (100, 0, 2000, 6000.5)]
    path.write_text("".join(json.dumps(home) + "\n" for home in homes))
    return path


def changed(path: Path, name: str, **parts: Any) -> Path:
    document = json.loads(path.read_text()) | parts
    made = path.with_name(name) if path.parent != MODELS else Path(name)
    made.write_text(json.dumps(document))
    return made


@pytest.fixture
def steeper(tmp_path: Path) -> Path:
    cells = json.loads(LINE.read_text())["cells"]
    cells["line"]["init"]["slope"] = -9.0
    return changed(LINE, str(tmp_path / "steeper.pfa"), cells=cells)


def run(*arguments: Any) -> int:
    return diff.main([str(argument) for argument in arguments])


def test_the_same_document_changes_nothing(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LINE, LINE, "--data", rows) == 0
    printed = capsys.readouterr()
    assert "None of 4 rows changes." in printed.out
    assert "Input and output are the same." in printed.out
    assert not printed.err


def test_a_coefficient_that_changes_answers(
    rows: Path, steeper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(LINE, steeper, "--data", rows) == 1
    printed = capsys.readouterr().out
    assert "**3 of 4 rows change (75 %).**" in printed  # the document's own error is the same
    assert "| `/slope` | -8.923536323 | -9 | -0.07646 |" in printed
    assert "`/cost` | absolute | 3 of 3 |" in printed
    largest = printed[printed.index("All changes, by line") :].splitlines()[4:7]
    # 27.19 -> 26.6 is the smaller change; relative to the number itself, line 4 is the largest
    assert [line.split(" | ")[0] for line in largest] == ["| 4", "| 3", "| 1"]


def test_a_change_within_the_tolerance_is_none(rows: Path, steeper: Path) -> None:
    assert run(LINE, steeper, "--data", rows, "--tolerance", "0.2") == 0


def test_the_same_answers_of_another_type_are_a_change(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(LINE.read_text())
    document["input"]["fields"].append({"name": "note", "type": "string", "default": ""})
    more = changed(LINE, str(tmp_path / "more.pfa"), input=document["input"])
    assert run(LINE, more, "--data", rows) == 1
    printed = capsys.readouterr().out
    assert '| input | `/note` | none | `string, default ""` |' in printed
    assert "None of 4 rows changes.** The types change; no caller breaks." in printed
    assert run(more, LINE, "--data", rows) == 1
    printed = capsys.readouterr().out
    assert "callers may break.**" in printed
    assert '- `input field "note": is gone, and records with unknown fields are refused' in printed


def test_answers_that_become_lists_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, data = (tmp_path / name for name in ("old.pfa", "new.pfa", "rows.json"))
    old.write_text('{"input": "int", "output": "int", "action": "input"}')
    new.write_text(
        '{"input": "int", "output": "int", "method": "emit", "action": {"emit": "input"}}'
    )
    data.write_text("[1, 2]")
    assert run(old, new, "--data", data) == 1
    printed = capsys.readouterr().out
    assert "| output | `/` | `int` | `array` |" in printed
    assert "was int" in printed and "**2 of 2 rows change (100 %).**" in printed


def test_models_of_different_inputs_are_compared_all_the_same(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = tmp_path / "number.pfa"
    number.write_text('{"input": "double", "output": "double", "action": "input"}')
    with rows.open("a") as file:
        file.write("7.5\n8.5\ntrue\n")
    assert run(LINE, number, "--data", rows, "--json") == 1
    told = json.loads(capsys.readouterr().out)["rows"]
    assert (told["onlyOldAccepts"], told["onlyNewAccepts"], told["neitherAccepts"]) == (4, 2, 1)
    # the row with the error of the document itself has no answer from either
    assert (told["errorsCome"], told["errorsGo"], told["errorsDiffer"]) == (3, 2, 1)
    assert run(LINE, number, "--data", rows) == 1
    assert "The models take different inputs. Only the old one takes 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"distance": 1}\n{"distance": \n', "line 2: it is not JSON"),
        (b'{"distance": 1}\n\n\xff\n', "line 3: it is not UTF-8"),
        (b'{"distance": NaN}\n', "line 1: it holds NaN, which is not JSON"),
        (b'[{"distance": 1}, {"distance" 2}]', "item 2: it is not JSON"),
        (b"\n\n", "there are no rows"),
        (b"1\n2\n", "of 2 rows none fits the input of either model. The first: at / it takes"),
    ],
)
def test_rows_that_cannot_be_read(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "rows"
    data.write_bytes(content)
    assert run(LINE, LINE, "--data", data) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert not printed.out


def test_bad_lines_are_left_out_on_demand(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.write_text('{"distance": \n' + rows.read_text())
    assert run(LINE, LINE, "--data", rows, "--skip-bad") == 0
    assert "1 rows are no records and were left out: line 1: `it is not JSON" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_file_that_is_not_there(
    which: int, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [LINE, LINE, rows]
    files[which] = Path("not_there")
    assert run(files[0], files[1], "--data", files[2]) == 2
    assert capsys.readouterr().err == "diff: not_there: No such file or directory\n"


def test_a_variable_that_make_was_not_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(LINE, "", "--data", "")
    assert ended.value.code == 2
    assert "argument new: the name of a file is missing" in capsys.readouterr().err


@pytest.mark.parametrize("tolerance", ["-1", "nan", "inf", "x"])
def test_what_is_no_tolerance(tolerance: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(LINE, LINE, "--data", "rows", f"--tolerance={tolerance}")
    assert ended.value.code == 2


def test_a_document_that_cannot_be_loaded(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.pfa"
    bad.write_text('{"input": "double", "output": "double", "action": "x"}')
    assert run(LINE, bad, "--data", rows) == 2
    assert "bad.pfa: " in capsys.readouterr().err


def test_text_of_documents_and_answers_stays_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, data = (tmp_path / name for name in ("old.pfa", "new.pfa", "rows.ndjson"))
    document = {"input": "string", "output": "string", "action": "input", "doc": "plain"}
    old.write_text(json.dumps(document))
    hostile = "` | @someone\n## <b>\u202e"
    document |= {"doc": hostile, "action": {"s.concat": ["input", "input"]}}
    document["metadata"] = {"`\n# x": "1"}
    new.write_text(json.dumps(document))
    data.write_text(json.dumps(hostile) + "\n")
    assert run(old, new, "--data", data) == 1
    printed = capsys.readouterr().out
    assert not any(line.startswith(("## <b>", "# x")) for line in printed.splitlines())
    assert "\u202e" not in printed
    assert all(line.count("`") % 2 == 0 for line in printed.splitlines())


def test_half_characters_are_printed(tmp_path: Path) -> None:
    old, new, data = (tmp_path / name for name in ("old.pfa", "new.pfa", "rows.ndjson"))
    document = {"input": "string", "output": "string", "action": "input"}
    old.write_text(json.dumps(document))
    new.write_text(json.dumps(document | {"doc": "\ud800", "metadata": {"\ud800": "1"}}))
    data.write_text('"a"\n')
    for more in ([], ["--json"]):
        command = [sys.executable, "-m", "scripts.diff", old, new, "--data", data, *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\\ud800" in done.stdout


def test_a_picture(rows: Path, steeper: Path, tmp_path: Path) -> None:
    picture = tmp_path / "diff.png"
    try:
        assert histogram.python()
    except histogram.PictureError:
        pytest.skip("there is no matplotlib")
    assert run(LINE, steeper, "--data", rows, "--png", picture) == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run(LINE, LINE, "--data", rows, "--png", picture) == 0


def test_without_matplotlib_the_rest_is_told(
    rows: Path,
    steeper: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(histogram.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(histogram, "BENCHMARKS", tmp_path / "none")
    assert run(LINE, steeper, "--data", rows, "--png", tmp_path / "diff.png") == 1
    printed = capsys.readouterr()
    assert "3 of 4 rows change" in printed.out
    assert "no picture: matplotlib is missing" in printed.err


def test_the_command(rows: Path, steeper: Path) -> None:
    command = [sys.executable, "-m", "scripts.diff", str(LINE), str(steeper), "--data", str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("## ")
