"""The sample models: made again to the byte, and true to R on every row there is."""

import csv
import gzip
import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import pfa
import pfa.compat
from scripts import (
    make_credit,
    make_events,
    make_forest,
    make_kdd99,
    make_models,
    make_real_estate,
    r_data,
)
from scripts.sample import DATA, EVENTS, MODELS, examples

NAMES = ("credit", "hello", "kdd99", "real_estate", "sonar")
FITTED = "kdd99"  # by scikit-learn, of which the last digits are not the same on every machine
APPLICANT = make_events.APPLICANT


def document(name: str) -> dict:
    return json.loads((MODELS / f"{name}.pfa").read_text("utf-8"))


@pytest.fixture(scope="module", params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def models() -> dict[str, pfa.Model]:
    return {name: pfa.load((MODELS / f"{name}.pfa").read_bytes()) for name in NAMES}


@pytest.fixture(scope="module")
def engines() -> dict:
    return {name: pfa.compat.engine(document(name)) for name in NAMES}


def credit_cases() -> list[tuple[dict, float]]:
    cases = json.loads((DATA / "credit/cases.json").read_text("utf-8"))
    return list(zip(cases["inputs"], cases["default_probability"], strict=True))


def committed(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.stem != FITTED)
    return {path.name: path.read_text("utf-8") for path in files}


def test_models_made_again_are_the_committed_ones():
    assert make_models.files() == committed(MODELS)


def test_events_made_again_are_the_committed_ones():
    assert make_events.files() == committed(EVENTS)


def test_examples_are_true(name, models, engines):
    carried = examples(document(name))
    assert len(carried) >= 4
    for record, expected in carried:
        assert models[name].score(record) == expected
        assert engines[name].action(record) == expected


def test_model_says_what_it_is(name, models):
    assert models[name].name == name
    assert models[name].doc
    assert models[name].version == 1
    assert models[name].metadata["source"]


def test_hello(models):
    assert models["hello"].score(3.14) == 103.14
    assert models["hello"].score(3) == 103.0


def test_sonar_agrees_with_r_on_every_row_of_the_data(models, engines):
    cases = json.loads((DATA / "r_models/sonar_nb.cases.json").read_text("utf-8"))
    with (DATA / "sonar/sonar.csv").open(encoding="utf-8") as file:
        rows = [
            {k: float(v) for k, v in row.items() if k != "Class"} for row in csv.DictReader(file)
        ]
    assert rows == cases["inputs"]
    assert len(rows) == 208
    assert [models["sonar"].score(row) for row in rows] == cases["outputs"]
    assert [engines["sonar"].action(row) for row in rows] == cases["outputs"]


def test_sonar_gives_r_s_probabilities_too():
    """The rule that R decides by, before the decision: the classes' shares of the likelihood."""
    cases = json.loads((DATA / "r_models/sonar_nb_prob.cases.json").read_text("utf-8"))
    ours = document("sonar")
    posteriors = ours["action"][-1]["map.argmax"]
    weighed = pfa.load(
        ours | {"output": posteriors["type"], "action": [*ours["action"][:-1], posteriors]}
    )
    assert len(cases["inputs"]) == 208
    for record, expected in zip(cases["inputs"], cases["outputs"], strict=True):
        logs = weighed.score(record)
        shares = {sort: 1 / sum(math.exp(other - own) for other in logs.values())
                  for sort, own in logs.items()}  # fmt: skip
        assert shares == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_sonar_has_r_s_own_numbers():
    theirs = json.loads((DATA / "r_models/sonar_nb.pfa").read_text("utf-8"))["cells"]
    ours = document("sonar")
    bands = [field["name"] for field in ours["input"]["fields"]]
    assert bands == [f"V{number}" for number in range(1, 61)]
    assert ours["cells"]["rows"]["init"] == theirs["apriori_counts"]["init"]
    assert {
        sort: dict(zip(bands, densities, strict=True))
        for sort, densities in ours["cells"]["densities"]["init"].items()
    } == theirs["numeric_cond_probs"]["init"]
    # R takes 0.001 for a deviation of 0 (e1071, `threshold`); there is none.
    assert all(of["variance"] > 1e-6 for sort in ours["cells"]["densities"]["init"].values()
               for of in sort)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"V7": ...}, {"/V7": "missing field of type double"}),
        ({"V7": None, "V60": "0.1"}, {"/V7": "expected double", "/V60": "expected double"}),
        ({"V61": 0.1, "v1": 0.1}, {"/V61": "unknown field", "/v1": "unknown field"}),
    ],
)
def test_sonar_names_every_field_that_is_wrong(models, change, wrong):
    record = examples(document("sonar"))[0][0] | change
    record = {key: value for key, value in record.items() if value is not ...}
    with pytest.raises(pfa.InputError) as caught:
        models["sonar"].score(record)
    assert {error["pointer"]: error["detail"] for error in caught.value.errors} == wrong


def test_sonar_has_no_answer_for_an_empty_record(models):
    with pytest.raises(pfa.InputError) as caught:
        models["sonar"].score({})
    assert [error["pointer"] for error in caught.value.errors] == [f"/V{i}" for i in range(1, 61)]


def kdd99_rows() -> list[tuple[dict, str, int]]:
    with gzip.open(DATA / "kdd99/http.csv.gz", "rt", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    return [
        ({name: int(row[name]) for name in make_kdd99.FIELDS}, row["label"], int(row["count"]))
        for row in rows
    ]


def test_kdd99_is_the_formula_that_its_cells_say(models):
    cells = {name: cell["init"] for name, cell in document("kdd99")["cells"].items()}
    weights, threshold = cells["regression"]["coeff"], cells["threshold"]
    for record, _, _ in kdd99_rows()[::50]:
        scaled = [
            (record[name] - cells["standard"][name]["mean"]) / cells["standard"][name]["scale"]
            for name in make_kdd99.FIELDS
        ]
        normal = 1 / (1 + math.exp(-math.sumprod(weights, scaled) - cells["regression"]["const"]))
        answer = models["kdd99"].score(record)
        assert answer["probability"] == pytest.approx({"attack": 1 - normal, "normal": normal})
        assert answer["label"] == ("attack" if 1 - normal >= threshold else "normal")


def test_kdd99_on_all_of_its_data(models):
    """Those it was fitted to and those it was not; a model that says "normal" finds no attack."""
    found = Counter()
    rows = kdd99_rows()
    answers = models["kdd99"].score_batch([record for record, _, _ in rows])
    for (_, label, count), answer in zip(rows, answers, strict=True):
        found[label, answer["label"]] += count
    assert found.total() == 64_293
    assert found["attack", "attack"] / 2407 > 0.9
    assert found["normal", "attack"] <= 5


def test_kdd99_event_is_an_example():
    event = json.loads((EVENTS / "kdd99.json").read_text("utf-8"))
    record = examples(document("kdd99"))[0][0]
    assert event == make_events.score("kdd99", record)


# titus2 cannot be imported on this Python without the two names.
STOCK = """
import inspect, json, sys
import numpy
inspect.getargspec, numpy.float_ = inspect.getfullargspec, numpy.float64
from titus.genpy import PFAEngine
document, records = json.load(sys.stdin)
(engine,) = PFAEngine.fromJson(document)
json.dump([engine.action(record) for record in records], sys.stdout)
"""


@pytest.mark.parametrize("name", NAMES)
def test_titus2_as_it_comes_gives_the_same_answers(name, models):
    if name == "sonar":
        cases = json.loads((DATA / "r_models/sonar_nb.cases.json").read_text("utf-8"))
        records, expected = cases["inputs"], cases["outputs"]
    else:
        records, expected = map(list, zip(*examples(document(name)), strict=True))
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STOCK],
        input=json.dumps([document(name), records]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(found.stdout) == expected


def test_credit_agrees_with_r_on_every_case(models, engines):
    cases = credit_cases()
    assert len(cases) == 200
    for record, printed in cases:
        answer = models["credit"].score(record)
        assert list(answer) == ["default.probability"]
        assert float(f"{answer['default.probability']:.15g}") == printed
        assert engines["credit"].action(record) == answer


def test_credit_gives_r_s_probability_to_the_last_bit(models):
    answer = models["credit"].score(APPLICANT)
    assert answer == {"default.probability": 0.30575539568345322}
    assert answer["default.probability"] == 85 / 278  # of 278 such applicants 85 defaulted


@pytest.mark.parametrize(
    ("months", "probability"),
    [(22, 85 / 278), (22.49, 85 / 278), (22.5, 0.6224489795918366), (23, 0.6224489795918366)],
)
def test_credit_splits_the_duration_between_22_and_23_months(models, months, probability):
    record = APPLICANT | {"Duration.in.month": months, "Savings.account.bonds": "A61"}
    assert models["credit"].score(record)["default.probability"] == probability


def test_credit_tree_is_the_one_that_r_printed():
    tree = make_credit.load()
    printed = json.loads((DATA / "credit/rpart_tree.json").read_text("utf-8"))
    assert tree.numbers == printed["nodes"]
    assert list(tree.variable.values()) == printed["var"]
    assert tree.levels == printed["xlevels"]
    assert [float(f"{p:.15g}") for p in tree.default.values()] == [p[1] for p in printed["yprob"]]
    # R prints: checking A11, A12 | duration < 22.5 | history A32 to A34 | savings A64, A65
    assert {number: split[3] for number, split in tree.splits.items()}[3] == 22.5
    root = tree.pfa()
    assert root["value"] == {"array": ["A13", "A14"]}
    assert root["fail"]["TreeNode"]["pass"]["TreeNode"]["value"] == {"array": ["A32", "A33", "A34"]}
    assert root["fail"]["TreeNode"]["fail"]["TreeNode"]["value"] == {"array": ["A64", "A65"]}


@pytest.mark.parametrize("field", list(APPLICANT))
def test_credit_names_what_is_wrong_with_each_field(models, field):
    rest = {key: value for key, value in APPLICANT.items() if key != field}
    wrong_type = "twelve" if field == "Duration.in.month" else 12
    bad = [(rest, -1, "is missing"), (rest | {field: wrong_type}, -2, "must be")]
    bad.append((rest | {field.lower(): 1}, -1, "is missing"))
    if field != "Duration.in.month":
        bad.append((rest | {field: "A99"}, -3, "must be one of A"))
        bad.append((rest | {field: ""}, -3, "must be one of A"))
    for record, code, words in bad:
        with pytest.raises(pfa.ScoringError) as caught:
            models["credit"].score(record)
        assert caught.value.code == code
        assert f"{field} {words}" in str(caught.value)
        assert "A99" not in str(caught.value)


def test_credit_refuses_another_field(models):
    with pytest.raises(pfa.ScoringError) as caught:
        models["credit"].score(APPLICANT | {"Age.in.years": 67})
    assert caught.value.code == -4


@pytest.mark.parametrize("value", [None, True, [20], {"a": 1}, math.nan, math.inf])
def test_credit_refuses_what_is_neither_number_nor_text(models, value):
    with pytest.raises(pfa.InputError) as caught:
        models["credit"].score(APPLICANT | {"Duration.in.month": value})
    assert [error["pointer"] for error in caught.value.errors] == ["/Duration.in.month"]


def test_real_estate_answers(models):
    assert models["real_estate"].score({"distance": 150}) == {"cost": 50.3}
    assert models["real_estate"].score({"distance": 1000}) == {"cost": 33.38}
    assert models["real_estate"].score({"distance": 1e300})["cost"] < 0  # far outside the data


def test_real_estate_is_the_least_squares_line():
    """No other line near it has smaller squares, told without the formula that found it."""
    with (DATA / "real_estate/real_estate.csv").open(encoding="utf-8") as file:
        rows = [
            (math.log(float(row[make_real_estate.DISTANCE])), float(row[make_real_estate.PRICE]))
            for row in csv.DictReader(file)
        ]
    assert len(rows) == 414

    def squares(intercept: float, slope: float) -> float:
        return math.fsum((y - intercept - slope * x) ** 2 for x, y in rows)

    intercept, slope = make_real_estate.fit()
    best = squares(intercept, slope)
    for step in (0.01, -0.01):
        assert squares(intercept + step, slope) > best
        assert squares(intercept, slope + step) > best


@pytest.mark.parametrize("distance", [0, 0.0, -0.0, -1, -1e-300, -150.5])
def test_real_estate_refuses_no_distance(models, distance):
    with pytest.raises(pfa.ScoringError) as caught:
        models["real_estate"].score({"distance": distance})
    assert caught.value.code == -1
    assert "distance must be greater than 0 metres" in str(caught.value)


def test_events_carry_what_they_promise():
    sonar = json.loads((EVENTS / "sonar.json").read_text("utf-8"))
    assert sonar["path"] == "/models/sonar/score"
    assert json.loads(sonar["body"]) == examples(document("sonar"))[0][0]
    assert json.loads(json.loads((EVENTS / "credit.json").read_text("utf-8"))["body"]) == APPLICANT


def test_r_data_refuses_what_it_cannot_read(tmp_path):
    import gzip

    path = tmp_path / "x.RData"
    path.write_bytes(gzip.compress(b"RDA3\nA\n"))
    with pytest.raises(ValueError, match="no XDR"):
        r_data.load(path)
    header = b"RDX2\nX\n" + bytes(12)
    path.write_bytes(gzip.compress(header + (15).to_bytes(4, "big") + (1).to_bytes(4, "big")))
    with pytest.raises(ValueError, match="type 15"):
        r_data.load(path)


@pytest.fixture(scope="module")
def forest() -> dict:
    return make_forest.forest(trees=20)


def test_forest_is_the_same_every_time_for_a_seed(forest):
    assert make_forest.forest(trees=20) == forest
    assert make_forest.forest(trees=20, seed=2) != forest


def test_forest_of_500_trees_is_8_mb():
    document = json.dumps(make_forest.forest(), separators=(",", ":")).encode()
    assert 7.5e6 < len(document) < 8.5e6
    assert document.count(b'"operator"') > 60_000


def test_forest_answers_with_the_mean_of_its_trees(forest):
    model, engine = pfa.load(forest), pfa.compat.engine(forest)
    trees = forest["cells"]["forest"]["init"]
    for record, _price in make_forest.rows()[::7]:
        expected = make_forest.predict(trees, record)
        assert model.score(record) == pytest.approx(expected, rel=1e-15)
        assert engine.action(record) == pytest.approx(expected, rel=1e-15)


def test_forest_has_learnt_something(forest):
    trees, rows = forest["cells"]["forest"]["init"], make_forest.rows()
    mean = math.fsum(price for _, price in rows) / len(rows)
    left = math.fsum((make_forest.predict(trees, home) - price) ** 2 for home, price in rows)
    assert left < 0.2 * math.fsum((price - mean) ** 2 for _, price in rows)
