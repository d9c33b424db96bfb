"""The local cloud with the sample models live: what `make demo` and `make serve` share."""

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from scripts.build import build
from scripts.local_cloud import ROOT, LocalCloud

MODELS = ROOT / "models"
# The documents hold eight or more digits; the last ones differ between maths libraries.
TOLERANCE = 1e-6
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print one line for a step: its name at the start, the time that it took at the end."""
    print(f"  {name} ".ljust(40, "."), end=" ", flush=True)
    start = time.perf_counter()
    try:
        yield
    except BaseException as error:
        print("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", flush=True)
        raise
    print(f"{time.perf_counter() - start:4.1f} s", flush=True)


def sample_models() -> dict[str, bytes]:
    """Return the documents of models/, by name."""
    return {path.stem: path.read_bytes() for path in sorted(MODELS.glob("*.pfa"))}


def examples(document: bytes) -> list[dict[str, Any]]:
    """Return the examples that travel in a document: input, expected answer, source."""
    metadata = json.loads(document).get("metadata", {})
    return list(json.loads(metadata.get("examples", "[]")))


def agree(answer: Any, expected: Any) -> bool:
    """Whether two JSON values are equal, numbers to within TOLERANCE of their size."""
    if isinstance(answer, dict) and isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(
            agree(answer[key], expected[key]) for key in expected
        )
    if isinstance(answer, list) and isinstance(expected, list):
        return len(answer) == len(expected) and all(map(agree, answer, expected))
    if type(answer) in (int, float) and type(expected) in (int, float):
        return math.isclose(answer, expected, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(answer) is type(expected) and bool(answer == expected)


class RefusedError(Exception):
    """The gate refused a sample model; the message is its report."""


def upload_samples(cloud: LocalCloud) -> dict[str, str]:
    """Upload models/; return the S3 version ids by name."""
    return {name: cloud.upload(name, document) for name, document in sample_models().items()}


def wait_for_gate(cloud: LocalCloud, versions: dict[str, str]) -> None:
    """Return when all these uploads are live. Raises RefusedError, TimeoutError."""
    for name, version in versions.items():
        report = cloud.wait_for_report(name, version)
        if report["verdict"] == "rejected":
            raise RefusedError(f"the gate refused {name}:\n{report['text']}")


@contextmanager
def sample_cloud(port: int = 0) -> Iterator[LocalCloud]:
    """Build the functions, start the local cloud, and bring models/ live through the gate.

    Prints a line for each step. Everything is stopped at the end. Raises BuildError, StartError,
    RefusedError, TimeoutError and OSError, with a message for the one who reads the terminal.
    """
    with step("build the functions as SAM would"):
        artefact: Path = build()
    with LocalCloud(artefact, port=port, step=step) as cloud:
        with step(f"upload {len(sample_models())} models"):
            versions = upload_samples(cloud)
        with step("the gate checks them: all go live"):
            wait_for_gate(cloud, versions)
        yield cloud


def run(main: Callable[[], int]) -> NoReturn:
    """Run a command to its end and leave with its status; every end stops what was started.

    SIGTERM and a closed terminal end it as Ctrl-C does: by an exception, so that every `with`
    block is left. A failure is told in a line or two, not by a stack trace.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        # A signal to the group comes twice, for make forwards it: the second one must not end
        # the clean-up that the first one began.
        for other in STOPPING:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    # SIGINT too: what a script starts with `&` inherits that it is ignored.
    for number in STOPPING:
        signal.signal(number, stop)
    try:
        status = main()
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        status = 130
    except Exception as error:
        print(f"\nerror: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)
