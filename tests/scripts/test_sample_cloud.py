"""How a command ends: by a signal, one that comes twice, one that was ignored before."""

import signal
import subprocess
import sys

import pytest

from scripts.local_cloud import ROOT

# The signal comes again while the command cleans up after the first one.
PROGRAM = """
import os, signal, sys
from scripts.sample_cloud import STOPPING, run

first = signal.Signals[sys.argv[1]]
signal.signal(first, signal.SIG_IGN)  # as `&` in a script does with SIGINT

def main():
    try:
        os.kill(os.getpid(), first)
        signal.pause()
    finally:
        for number in STOPPING:
            os.kill(os.getpid(), number)
        print("cleaned up", flush=True)

run(main)
"""


@pytest.mark.parametrize(
    ("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 128 + signal.SIGHUP)]
)
def test_a_command_cleans_up_once_and_whole(name: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == "cleaned up\n", done.stderr
    assert done.returncode == status
    assert "Traceback" not in done.stderr
