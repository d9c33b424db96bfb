"""docs/semantics.md names a test in each line, and each is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_line_has_its_test():
    text = (ROOT / "docs" / "semantics.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    rows = [line for line in lines if not line.endswith("| test |")]
    assert len(rows) > 25
    for row in rows:
        found = re.search(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", row)
        assert found, row
        assert f"def {found[2]}(" in (ROOT / found[1]).read_text("utf-8"), row
