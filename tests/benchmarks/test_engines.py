"""The comparison of the engines: its arithmetic, its documents, and that its parts fit."""

import json
import sys

import pytest

from benchmarks import documents, engines, engines_report, peers, peers_report
from benchmarks.child import Child, RefusedError
from benchmarks.documents import CASES, Case
from benchmarks.make_boosting import boosting
from benchmarks.worker import SIDES
from scripts.make_forest import rows
from scripts.sample import ROOT


def timed(rounds: list[list[float]], load: float, peak: float) -> dict:
    return {
        "early": rounds[:1],
        "time": rounds,
        "load": [load] * 3,
        "first": {"import": 0.1, "load": load},
        "peak": peak,
        "resident": peak,
        "modules": ["titus", "avro"],
        "about": "an engine",
    }


def found(**changes: object) -> dict:
    return {
        "bytes": 8_000_000,
        "titus2": timed([[300.0, 310.0, 290.0], [600.0]], 4.0, 200e6),
        "pfa": timed([[2.0, 1.0, 3.0], [2.0]], 0.1, 90e6),
        "agreement": {"answers": 100, "differ": 0, "off": 0.0},
        "batch": [1.2, 1.4, 1.5],
    } | changes


def test_ratio_is_that_of_rounds_in_which_both_ran():
    assert engines_report.faster(found()) == (150 + 300) / 2
    assert engines_report.loads(found()) == pytest.approx(40)


def test_targets_are_told_met_or_missed():
    case = Case("forest", lambda: ("", []), faster=225, loads=50, memory=0.5)
    assert engines_report.speed_target(case, found()) == "≥ 225×: met"
    assert engines_report.memory([(case, found())])[-1].split(" | ")[3:5] == ["0.45", "≤ 0.5: met"]
    assert "≥ 50×: missed" in engines_report.loading([(case, found())])[-1]
    small = Case("hello", lambda: ("", []), microseconds=1.5)
    assert engines_report.speed_target(small, found()) == "≤ 1.5 µs: missed"
    with_numpy = found()
    with_numpy["pfa"]["modules"].append("numpy")
    assert "yes: missed" in engines_report.memory([(small, with_numpy)])[-1]
    assert (
        "(≤ 0.45: missed). It leaves"
        in engines_report.importing({"titus2": [0.1], "pfa": [0.05]}, [(small, found())])[-1]
    )


def test_agreement_is_of_types_order_and_bits():
    assert engines.agreement([{"a": 1.0}], [{"a": 1.0}])["differ"] == 0
    assert engines.agreement([1], [1.0]) == {"answers": 1, "differ": 1, "off": float("inf")}
    swapped = engines.agreement([{"a": 1, "b": 2}], [{"b": 2, "a": 1}])
    assert swapped["off"] == float("inf")
    close = engines.agreement([[1.0, 2.0]], [[1.0, 2.0000000000000004]])
    assert 0 < close["off"] < 1e-15
    case = Case("linear", lambda: ("", []), close=1e-12)
    assert "(≤ 1e-12: met)" in engines_report.same(case, found(agreement=close))
    assert "(missed)" in engines_report.same(CASES[0], found(agreement=close))


def test_a_promise_for_every_document():
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(case.memory is not None for case in CASES) == 1


def test_made_documents_are_the_same_each_time():
    assert boosting(20) == boosting(20)
    text, homes = documents.discriminant()
    assert (text, homes) == documents.discriminant()
    assert len(homes) == 150


def test_discriminant_tells_the_species(tmp_path):
    """It is a model, not noise: it agrees with the forest on nearly all irises."""
    import pfa

    text, irises = documents.discriminant()
    cases = json.loads((ROOT / "data/r_models/iris_rf.cases.json").read_text("utf-8"))
    told = pfa.load(text).score_batch(irises)
    wrong = [pair for pair in zip(told, cases["outputs"], strict=True) if pair[0] != pair[1]]
    assert len(wrong) <= 6


def test_boosting_learns_and_takes_missing_values():
    import pfa

    model = pfa.load(boosting(200))
    homes = rows()[:40]
    mean = sum(price for _, price in rows()) / len(rows())
    told = model.score_batch([home for home, _ in homes])
    off = sum((price - answer) ** 2 for (_, price), answer in zip(homes, told, strict=True))
    assert off < 0.7 * sum((price - mean) ** 2 for _, price in homes)
    assert isinstance(model.score(homes[0][0] | {"distance": None}), float)


def test_stock_and_ours_run_side_by_side(tmp_path):
    case = next(case for case in CASES if "pima_glm" in case.name)
    document, records = documents.write(case, tmp_path)
    answers = []
    for side in engines.SIDES:
        with Child(side, sys.executable) as child:
            assert child.ask("load", document)["load"] > 0
            assert child.ask("memory", records)["peak"] > 10e6
            assert child.ask("use", records) == 392
            child.ask("keep", 5)
            assert min(child.ask("time", 0.001)) > 0
            assert len(child.ask("each", 7)) == 7
            assert child.ask("batch", 11) > 0
            answers.append(child.ask("answers"))
            with pytest.raises(RefusedError, match="FileNotFoundError"):
                child.ask("load", tmp_path / "no")
    agreement = engines.agreement(*answers)
    assert agreement["answers"] == 5
    assert agreement["off"] <= case.close


def test_stock_is_stock():
    """What ours is compared with is titus2 as it comes, but for two names."""
    source = (ROOT / "benchmarks/side_titus2.py").read_text("utf-8")
    assert "pfa" not in source.lower().replace("pfaengine", "")
    assert source.count("\nnumpy.") + source.count("\ninspect.") == 2


def test_every_engine_has_a_side():
    for module in SIDES.values():
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert set(peers.FILES) <= set(SIDES)


def peer(times: list[float]) -> dict:
    return {
        "early": [times],
        "time": [times],
        "each": [float(n) for n in range(100)],
        "load": [2.0],
        "first": 3.0,
        "batch": {"1000": [1000, 0.5], "100000": None},
        "resident": 30e6,
        "import": 50.0,
        "off": 1e-9,
    }


def test_peers_to_beat():
    one = {"pfa": peer([4.0]), "scikit-learn": peer([90.0]), "ONNX Runtime": peer([3.0])}
    assert peers_report.beaten("forest", one) == "faster than scikit-learn: met"
    assert peers_report.beaten("logistic", one) == (
        "faster than scikit-learn, ONNX Runtime: missed (ONNX Runtime)"
    )
    assert peers_report.p99(one["pfa"]) == 99.0
    assert peers_report.rate(one["pfa"], 1000) == "2,000"
    assert peers_report.rate(one["pfa"], 100000) == "–"
    assert peers_report.rate({"batch": {"100000": [5000, 2.0]}}, 100000) == "2,500 (of 5,000)"


def test_difference_is_relative_to_the_largest_answer():
    assert peers.difference([1.0, 4.1], [1.0, 4.0]) == pytest.approx(0.025)
    assert peers.difference([{"error": "ValueError"}], [1.0]) == "{'error': 'ValueError'}"


def whole() -> dict:
    cases = {case.name: found() for case in CASES}
    cases[CASES[0].name] |= {"artifact": timed([[1.0]], 0.005, 30e6) | {"bytes": 9, "same": True}}
    models = {name: {side: peer([4.0]) for side in peers.FILES} for name in peers.MODELS}
    sizes = {"sizes": dict.fromkeys(peers.FILES, 5_000_000)}
    return {"import": {"titus2": [0.1], "pfa": [0.04]}, "cases": cases, "peers": sizes | models}


def test_table_has_all_and_the_plot_gets_what_it_draws():
    table = engines_report.markdown(whole())
    for case in CASES:
        assert table.count(f"| {case.name} |") >= 3
    assert "| **800** | ≥ 100×: met |" in table
    figures = engines_report.summary(whole())
    assert list(figures["documents"]) == [case.name for case in CASES]
    assert list(figures["peers"]) == list(peers.MODELS.values())


def test_committed_results_are_of_these_tables():
    committed = (ROOT / "benchmarks/engines.md").read_text("utf-8").splitlines()
    heads = [line for line in engines_report.markdown(whole()).splitlines() if line[:1] == "#"]
    ahead = "## Compiled ahead of time"
    kept = [line for line in committed if line[:1] == "#"]
    assert kept == [line for line in heads if line != ahead or ahead in kept]
    assert "met" in "\n".join(committed)
