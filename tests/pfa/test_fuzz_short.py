"""Random programs without state: the short way of a record, and a batch, against the long way."""

import random
from typing import Any

import pytest

import pfa
from tests.pfa import programs

SEEDS = range(80)
CHUNKS = 4


def told(answer: Any) -> Any:
    """What a caller sees of an answer or an error: Python types, order of keys and NaN included."""
    if isinstance(answer, pfa.ScoringError):
        return type(answer), str(answer), answer.code, answer.position
    if isinstance(answer, pfa.InputError):
        return type(answer), str(answer), answer.errors
    return repr(answer)


def short(model: pfa.Model, value: Any) -> Any:
    """The answer of the short way, or the error."""
    try:
        return model.score(value)
    except pfa.PfaError as error:
        return error


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_programs(chunk: int) -> None:
    answers = errors = 0
    for seed in SEEDS[chunk::CHUNKS]:
        maker = programs.Maker(seed, depth=2 + seed // CHUNKS % 4, has_state=False)
        document = maker.document()
        if seed % 2:
            document["options"] = {}  # no limit of its own: loops do not look at the clock
        try:
            model = pfa.load(document)
        except pfa.DocumentError:
            continue
        assert model._short is not None, seed
        chosen = random.Random(seed)
        inputs = [programs.value_of(chosen, maker.input) for _ in range(5)] + [None, "?", 2**70]
        expected = [told(model._long(value)) for value in inputs]
        assert [told(short(model, value)) for value in inputs] == expected, seed
        for timeout in (None, 60):
            batch = model.score_batch(inputs, timeout)
            assert list(map(told, batch)) == expected, seed
        answers += sum(isinstance(each, str) for each in expected)
        errors += sum(isinstance(each, tuple) for each in expected)
    assert answers > 2 * len(SEEDS) // CHUNKS
    assert errors > 3 * len(SEEDS) // CHUNKS
