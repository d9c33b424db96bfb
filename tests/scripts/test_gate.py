"""`make gate` as a command: what it prints, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

from gate.checks import check_document
from gate.verdict import Limits
from tests.gate.documents import body

ROOT = Path(__file__).resolve().parents[2]


def gate(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scripts.gate", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_passed():
    code, out, err = gate("models/sonar.pfa", "--live", "models/sonar.pfa")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "PASSED"
    assert "8 of 8 examples right" in out


def test_failed_in_the_same_words(tmp_path):
    path = tmp_path / "bad.pfa"
    path.write_bytes(body(action={"no.such": ["input"]}))
    code, out, err = gate(path)
    assert (code, err) == (1, "")
    verdict = check_document(path.read_bytes(), Limits())
    assert all(it.message in out for it in verdict.findings)
    assert out.splitlines()[-1] == "FAILED"


def test_limits_of_the_environment():
    code, out, _ = gate("models/hello.pfa", GATE_MIN_EXAMPLES="5")
    assert code == 1
    assert "GATE_MIN_EXAMPLES" in out
    code, _, err = gate("models/hello.pfa", GATE_MIN_EXAMPLES="many")
    assert code == 2
    assert "GATE_MIN_EXAMPLES" in err


def test_compared_with_another():
    code, out, _ = gate("models/hello.pfa", "--live", "models/sonar.pfa")
    assert code == 1
    assert "input: was record Echo, is double" in out
    code, _, _ = gate("models/hello.pfa", "--live", "models/sonar.pfa", GATE_ALLOW_BREAKING="true")
    assert code == 0


def test_json():
    code, out, _ = gate("models/hello.pfa", "--json")
    assert code == 0
    assert json.loads(out)["examples"] == 4


def test_files_that_are_not_there():
    code, out, err = gate("models/no-such.pfa")
    assert (code, out) == (2, "")
    assert err == "make gate: models/no-such.pfa: No such file or directory\n"
    code, out, err = gate("")
    assert (code, out) == (2, "")
    assert "the name of a file is missing" in err


def test_names_that_no_model_has(tmp_path):
    path = tmp_path / "my model.pfa"
    path.write_bytes(body())
    _, _, err = gate(path)
    assert "models/<name>.pfa" in err
