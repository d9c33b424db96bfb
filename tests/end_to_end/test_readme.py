"""The commands of the README do what it says that they do, and what it lists is what there is."""

import os
import re
import subprocess

import pytest
from samtranslator.yaml_helper import yaml_parse

from scripts.local_cloud import ROOT, LocalCloud

pytestmark = pytest.mark.end_to_end

README = (ROOT / "README.md").read_text()


def is_whole(command: str) -> bool:
    """Whether bash could run the command as it stands, without reading a further line."""
    parsed = subprocess.run(["bash", "-n"], input=command + "\n", capture_output=True, text=True)
    return parsed.returncode == 0 and not command.endswith("\\")


def commands() -> list[tuple[str, str]]:
    """Give each command of the blocks marked `tested`, and the output that follows it."""
    found = []
    for block in re.findall(r"<!-- tested -->\n```console\n(.*?)```", README, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            length = next(n for n in range(1, len(lines) + 1) if is_whole("\n".join(lines[:n])))
            found.append(("\n".join(lines[:length]), "\n".join(lines[length:])))
    return found


@pytest.mark.parametrize(("command", "expected"), commands())
def test_command_prints_what_the_readme_shows(
    cloud: LocalCloud, command: str, expected: str
) -> None:
    env = os.environ | {"URL": cloud.url, "KEY": cloud.api_key, "NO_PROXY": "*"}
    ran = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    pattern = re.escape(expected).replace("…", ".*")  # the README leaves out what changes
    assert re.fullmatch(pattern, ran.stdout.strip()), ran.stdout


def test_there_are_commands() -> None:
    assert len(commands()) >= 4


def test_routes_listed_are_the_routes_of_the_template() -> None:
    listed = re.findall(r"^\| `(GET|POST) (/[^`]*)` \|", README, re.MULTILINE)
    template = yaml_parse((ROOT / "template.yaml").read_text())
    events = template["Resources"]["ScoreFunction"]["Properties"]["Events"].values()
    assert sorted(listed) == sorted(
        (event["Properties"]["Method"], event["Properties"]["Path"]) for event in events
    )


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing
