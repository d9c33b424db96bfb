"""The model answers what the engine behind it does, on inputs that its strict check accepts."""

import collections
import json
import math
from typing import Any

import pfa
from pfa import compat
from tests.conformance import run, values

EVERY = 15  # documents of the corpus: one of so many, 11,000 trials


def has_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(has_non_finite, parts))


def verdicts(entry: dict[str, Any]) -> list[str]:
    """Score a document's trials by the model and by the engine; a word per trial."""
    try:
        model = pfa.load(entry["pfa"])
    except pfa.DocumentError:
        return [] if "load_error" in entry else ["the document is refused"]
    if model.method == "emit" or entry["pfa"].get("begin"):
        return []  # tests of the state hold these
    inputs = [values.decoded(trial["in"]) for trial in entry["trials"]]
    answers = model.score_batch(inputs)
    if any(isinstance(answer, pfa.InputError) for answer in answers) and "stateful" in entry:
        return []  # the two have seen different inputs
    engine = compat.engine(entry["pfa"])
    names = values.named_types(entry["pfa"])
    words = []
    for given, answer in zip(inputs, answers, strict=True):
        if isinstance(answer, pfa.InputError):
            known = has_non_finite(given) or "float (32-bit); the number is" in str(answer.errors)
            words.append("refused" if known else f"refused: {answer.errors}")
            continue
        try:
            want = values.encoded(engine.action(given), entry["pfa"]["output"], names)
        except values.WrongType:
            want = "wrong type"
        except Exception as error:
            code = getattr(error, "code", None)
            agrees = isinstance(answer, pfa.ScoringError) and answer.code == code
            words.append("same error" if agrees else f"another error than {code}: {answer}")
            continue
        if isinstance(answer, pfa.ScoringError):
            # What JSON cannot carry, or an int beyond 32 bits: the engine does not mind either.
            known = want == "wrong type" or "$float" in json.dumps(want)
            known = known or "out of the range of int" in str(answer)
            words.append("no value" if known else f"an error: {answer}")
            continue
        got = values.encoded(answer, entry["pfa"]["output"], names, strict=True)
        words.append("same" if values.same(want, got, 0) else f"{got} and not {want}")
    return words


def test_the_model_agrees_with_its_engine():
    counts: collections.Counter[str] = collections.Counter()
    for number, entry in enumerate(run.corpus()):
        if number % EVERY == 0 and "load_error" not in entry:
            words = verdicts(entry)
            counts.update(words)
            right = {"same", "same error", "no value", "refused"}
            odd = [(i, word) for i, word in enumerate(words) if word not in right]
            assert not odd, (entry["id"], odd[:3], json.dumps(entry["pfa"])[:300])
    assert counts["same"] > 5000
    assert counts["same error"] > 1000


def test_nothing_of_a_call_is_left_for_the_next():
    count = 0
    for entry in run.corpus():
        if "stateful" in entry and "load_error" not in entry:
            try:
                model = pfa.load(entry["pfa"])
            except pfa.DocumentError:
                continue
            inputs = [values.decoded(trial["in"]) for trial in entry["trials"]]
            first, second = model.score_batch(inputs), model.score_batch(inputs)
            assert list(map(repr, first)) == list(map(repr, second)), entry["id"]
            count += len(first)
    assert count > 3000
