"""The hooks of SnapStart in the emulator: the built function, run as Lambda's runtime runs them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.local_cloud import ROOT, LocalCloud
from tests.end_to_end.conftest import adding, http_client

pytestmark = pytest.mark.end_to_end

# The emulator takes no snapshots. This handler does what Lambda's runtime does around one, in the
# same process, when it is asked to, and is the function's own handler otherwise.
HANDLER = """
from awslambdaric import lambda_runtime_hooks_runner as hooks
from score import app

def handler(event, context):
    if event != {"snapshot": True}:
        return app.handler(event, context)
    hooks.run_before_snapshot()
    hooks.run_after_restore()
    return "restored"
"""


@pytest.fixture(scope="module")
def snapped(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The artefact with that handler, and models that stay fresh for an hour."""
    task = tmp_path_factory.mktemp("task")
    for part in artefact.iterdir():
        (task / part.name).symlink_to(part)
    (task / "snapshot_test.py").write_text(HANDLER)
    template = (ROOT / "template.yaml").read_text()
    assert "Handler: score.app.handler" in template
    other = task / "template.yaml"
    other.write_text(template.replace("score.app.handler", "snapshot_test.handler"))
    with LocalCloud(
        task, template=other, emulators=1, overrides={"MODEL_TTL_SECONDS": "3600"}
    ) as cloud:
        yield cloud


def test_after_a_restore_s3_is_asked_again(snapped: LocalCloud) -> None:
    first = snapped.put_model("snap", adding(1))
    with http_client(snapped) as client:

        def ask() -> tuple[str, list[int]]:
            answer: httpx.Response = client.post("/models/snap/score", json=5)
            assert answer.status_code == 200
            return answer.headers["x-model-version"], answer.json()

        assert ask() == (first, [5, 1, 6])
        second = snapped.put_model("snap", adding(2))
        assert ask() == (first, [5, 1, 6])  # fresh for an hour
        assert json.loads(snapped.invoke(b'{"snapshot": true}').payload) == "restored"
        assert ask() == (second, [5, 2, 7])
