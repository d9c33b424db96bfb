"""README.md's commands, as they are, give the output that it shows.

A console block after a line `<!-- tested -->` is run in bash with URL and KEY of the local cloud;
`…` in its output stands for anything.
"""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from scripts.local_cloud import ROOT, LocalCloud

pytestmark = pytest.mark.end_to_end

BLOCK = re.compile(r"^<!-- tested -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def complete(command: str) -> bool:
    """Whether a shell would run the command, rather than wait for its next line."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def commands() -> list[tuple[str, str]]:
    """The commands of the tested blocks, each with the output that the README shows."""
    found: list[list[str]] = []
    for block in BLOCK.findall((ROOT / "README.md").read_text()):
        for line in block.splitlines():
            if found and not complete(found[-1][0]):
                found[-1][0] += f"\n{line}"
            elif line.startswith("$ "):
                found.append([line[2:], ""])
            else:
                found[-1][1] += f"{line}\n"
    return [(command, output) for command, output in found]


def test_readme_has_tested_commands() -> None:
    assert len(commands()) >= 4


@pytest.mark.parametrize(("command", "shown"), commands())
@pytest.mark.usefixtures("client")
def test_command_gives_the_output_shown(cloud: LocalCloud, command: str, shown: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    run = subprocess.run(
        ["bash", "-c", command],
        env=os.environ | {"URL": cloud.url, "KEY": cloud.api_key, "no_proxy": "127.0.0.1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    assert re.fullmatch(pattern, run.stdout.strip(), re.DOTALL), f"{run.stdout}\n{run.stderr}"
