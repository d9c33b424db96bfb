"""Random programs of every special form answer alike on both engines; see programs.py."""

import contextlib
import json
import random

import pytest

from tests.pfa import programs, shadow

SEEDS = range(160)  # 7 s
CHUNKS = 4


def run(seed: int) -> tuple[int, int] | None:
    """Run the program of a seed; give the number of answers and of errors, None if refused."""
    maker = programs.Maker(seed, depth=2 + seed % 4)
    document = maker.document()
    try:
        both = shadow.Shadow(document, short_names=seed % 2 == 0)  # as pfa.load does
    except shadow.Different:
        raise
    except Exception:
        return None
    with contextlib.suppress(shadow.TitusFault):
        return call(both, maker, random.Random(seed))
    return None


def call(both: shadow.Shadow, maker: programs.Maker, chosen: random.Random) -> tuple[int, int]:
    """Call all methods; give the number of answers and of errors."""
    kinds = [both.outcome("begin")[0]]
    inputs = [programs.value_of(chosen, maker.input) for _ in range(4)]
    kinds += [both.outcome("action", value)[0] for value in inputs]
    if both.document["method"] == "fold":
        tallies = [programs.value_of(chosen, maker.output) for _ in range(2)]
        kinds.append(both.outcome("merge", *tallies)[0])
    kinds.append(both.outcome("end")[0])
    return kinds.count("value"), kinds.count("error")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_programs(chunk):
    ran = answers = errors = 0
    seeds = SEEDS[chunk * len(SEEDS) // CHUNKS : (chunk + 1) * len(SEEDS) // CHUNKS]
    for seed in seeds:
        try:
            counts = run(seed)
        except shadow.Different as different:
            pytest.fail(f"seed {seed}: {different}\n{json.dumps(different.document)}")
        if counts is not None:
            ran += 1
            answers += counts[0]
            errors += counts[1]
    assert ran > len(seeds) / 2
    assert answers > 2 * len(seeds)
    assert errors > len(seeds) / 10


def test_the_same_seed_makes_the_same():
    for seed in range(5):
        assert programs.Maker(seed).document() == programs.Maker(seed).document()


def test_every_form_is_in_some_program():
    text = json.dumps([programs.Maker(seed).document() for seed in SEEDS])
    forms = [
        "let", "set", "if", "cond", "while", "until", "for", "foreach", "forkey", "cast",
        "ifnotnull", "upcast", "try", "error", "fcn", "fill", "params", "cell", "pool", "del",
        "attr", "path", "to", "init", "new", "do", "log", "emit", "pack", "unpack", "value",
        "begin", "end", "merge", "rollback", "filter", "partial", "seq", "namespace",
    ]  # fmt: skip
    assert [form for form in forms if f'"{form}":' not in text] == []
