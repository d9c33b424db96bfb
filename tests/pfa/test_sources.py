"""The digest of the engine's sources."""

from pathlib import Path

import pytest

from pfa import sources


def test_it_is_of_names_and_contents(tmp_path: Path) -> None:
    seen = {sources.computed(tmp_path)}
    for name, text in (("a.py", "x"), ("b.py", ""), ("c/a.py", "x"), ("a.py", "y")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        seen.add(sources.computed(tmp_path))
    (tmp_path / "c/__pycache__").mkdir()
    (tmp_path / "c/__pycache__/a.pyc").write_bytes(b"")
    assert sources.computed(tmp_path) in seen
    assert len(seen) == 5
    (tmp_path / "b.py").rename(tmp_path / "d.py")
    assert sources.computed(tmp_path) not in seen


def test_what_the_build_wrote_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.digest.cache_clear()
    assert sources.digest() == sources.computed(Path(sources.__file__).parent)
    sources.digest.cache_clear()
    monkeypatch.setattr(sources, "_FOLDER", tmp_path)
    (tmp_path / "sources.sha256").write_text("0123456789abcdef\n")
    assert sources.digest() == "0123456789abcdef"
    sources.digest.cache_clear()
