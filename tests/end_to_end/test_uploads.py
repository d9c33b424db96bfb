"""From an upload to the function that EventBridge would call: which events, in what order."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.local_cloud import ROOT, LocalCloud
from tests.end_to_end.test_local_cloud import HANDLER, TEMPLATE

pytestmark = pytest.mark.end_to_end

GATE = """
import json

def handler(event, context):
    print("GOT " + json.dumps(event), flush=True)
    if "fail" in event["detail"]["object"]["key"]:
        raise ValueError
    return {"reports": []}
"""
GATE_FUNCTION = """
  GateFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: gate.handler, Runtime: python3.13, Timeout: 5}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    task = tmp_path_factory.mktemp("task")
    (task / "app.py").write_text(HANDLER)
    (task / "gate.py").write_text(GATE)
    (task / "template.yaml").write_text(TEMPLATE + GATE_FUNCTION)
    with LocalCloud(task, template=task / "template.yaml", emulators=1) as cloud:
        yield cloud


def events(cloud: LocalCloud, name: str, count: int) -> list[dict[str, Any]]:
    """The events of one model, when there are `count`."""
    give_up = time.monotonic() + 30
    while True:
        found = [json.loads(line) for line in re.findall("GOT (.*)", cloud.gate.logs())]
        found = [it for it in found if it["detail"]["object"]["key"].startswith(f"models/{name}.")]
        if len(found) >= count:
            return found
        assert time.monotonic() < give_up, cloud.gate.logs()
        time.sleep(0.05)


def versions(found: list[dict[str, Any]]) -> list[str]:
    return [it["detail"]["object"]["version-id"] for it in found]


def test_an_upload_gives_an_event_of_eventbridge_s_form(cloud: LocalCloud) -> None:
    version = cloud.upload("one", b"{}")
    [event] = events(cloud, "one", 1)
    sample = json.loads((ROOT / "events/upload.json").read_text())
    assert event.keys() == sample.keys()
    assert event["detail"].keys() == sample["detail"].keys()
    assert event["detail"]["bucket"] == {"name": cloud.bucket}
    told = event["detail"]["object"]
    assert told.keys() == sample["detail"]["object"].keys()
    assert (told["key"], told["version-id"], told["size"]) == ("models/one.pfa", version, 2)
    assert re.fullmatch("[0-9a-f]{32}", told["etag"])


def test_events_come_in_the_order_of_uploads(cloud: LocalCloud) -> None:
    made = [cloud.upload("many", b"%d" % number) for number in range(8)]
    assert versions(events(cloud, "many", 8)) == made


def test_the_same_bytes_again_are_an_event_of_their_own(cloud: LocalCloud) -> None:
    made = [cloud.upload("same", b"{}")]
    events(cloud, "same", 1)
    made.append(cloud.upload("same", b"{}"))  # in the same second, as far as S3 tells
    assert versions(events(cloud, "same", 2)) == made


def test_nothing_else_is_an_upload(cloud: LocalCloud) -> None:
    cloud.put_model("live", b"{}")
    cloud.s3.client.put_object(Bucket=cloud.bucket, Key="reports/live.x", Body=b"{}")
    version = cloud.upload("live", b"{}", suffix=".routes.json")
    assert versions(events(cloud, "live", 1)) == [version]
    cloud.s3.client.delete_object(Bucket=cloud.bucket, Key="models/live.routes.json")
    cloud.upload("after", b"{}")
    events(cloud, "after", 1)
    assert versions(events(cloud, "live", 1)) == [version]


def test_a_failing_gate_is_called_three_times_and_others_go_on(cloud: LocalCloud) -> None:
    version = cloud.upload("fail", b"{}")
    after = cloud.upload("well", b"{}")
    found = events(cloud, "fail", 3)
    assert found[0] == found[1] == found[2]
    assert versions(events(cloud, "well", 1)) == [after]
    give_up = time.monotonic() + 20
    while not cloud.uploads.lost and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [it["detail"]["object"]["version-id"] for it in cloud.uploads.lost] == [version]
    with pytest.raises(TimeoutError, match="three times"):
        cloud.wait_for_report("fail", version, seconds=0.1)


def test_uploads_are_seen_again_after_s3_died(cloud: LocalCloud) -> None:
    cloud.s3.kill()
    time.sleep(0.3)
    cloud.restart_s3()
    version = cloud.upload("back", b"{}")
    assert versions(events(cloud, "back", 1)) == [version]
