"""Without a bucket, S3 and network the packaged sample models answer.

This is what `sam local invoke -e events/sonar.json` does in its container: the built artefact, its
environment, the event. The emulator runs here in a network namespace that holds nothing but its
own loopback interface.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.local_cloud import ROOT
from scripts.sample_cloud import agree, examples

pytestmark = pytest.mark.end_to_end

# In the namespace: bring its loopback interface up (as `ip link set lo up` does), then invoke.
PROGRAM = """
import fcntl, json, socket, struct, sys
from pathlib import Path
from scripts.local_cloud import LocalCloud

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lo:
    answer = fcntl.ioctl(lo, SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0))
    flags = struct.unpack("16sh", answer)[1] | IFF_UP
    fcntl.ioctl(lo, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags))
interfaces = [name for _, name in socket.if_nameindex()]
events = json.loads(sys.stdin.read())
with LocalCloud(Path(sys.argv[1]), emulators=1, with_s3=False) as cloud:
    answers = [cloud.invoke(json.dumps(event).encode()) for event in events]
    print(json.dumps([interfaces, [[a.error, a.payload.decode()] for a in answers]]))
"""


def in_namespace() -> list[str]:
    """The words that run a command without a network, or a skip where that is not allowed."""
    unshare = shutil.which("unshare")
    for words in (["-n"], ["-rn"]):
        if (
            unshare
            and subprocess.run([unshare, *words, "true"], capture_output=True).returncode == 0
        ):
            return [unshare, *words]
    pytest.skip("network namespaces are not available here")


def test_packaged_models_answer_without_network_and_s3(
    artefact: Path, documents: dict[str, bytes]
) -> None:
    event = json.loads((ROOT / "events" / "sonar.json").read_text())
    cases = [
        (name, case) for name, document in documents.items() for case in examples(document)[:2]
    ]
    direct = [{"model": name, "record": case["input"]} for name, case in cases]
    run = subprocess.run(
        [*in_namespace(), sys.executable, "-c", PROGRAM, str(artefact)],
        input=json.dumps([event, *direct]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    interfaces, answers = json.loads(run.stdout)
    assert interfaces == ["lo"]
    assert [error for error, _ in answers] == [None] * len(answers)
    proxy = json.loads(answers[0][1])
    assert proxy["statusCode"] == 200
    known = {
        json.dumps(case["input"], sort_keys=True): case["expected"]
        for case in examples(documents["sonar"])
    }
    record = json.dumps(json.loads(event["body"]), sort_keys=True)
    assert agree(json.loads(proxy["body"]), known[record])
    for (name, case), (_, payload) in zip(cases, answers[1:], strict=True):
        assert agree(json.loads(payload), case["expected"]), name
