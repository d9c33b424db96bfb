"""model.reg.linear: what titus gives, but for the order of a sum."""

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest

from pfa.kernels import linear, prepared
from tests.pfa.fake_site import FakeSite
from tests.pfa.kernels.check import DOUBLES, MAP, MAPS, ODD, ROWS, nearly, outcome, record, same

NAME = "model.reg.linear"
VECTOR = record(coeff=DOUBLES, const="double")
FORMS = [
    (DOUBLES, VECTOR, "double"),
    (DOUBLES, record(coeff=ROWS, const=DOUBLES), DOUBLES),
    (MAP, record(coeff=MAP, const="double"), "double"),
    (MAP, record(coeff=MAPS, const=MAP), MAP),
]


def scale(datum, model):
    """The largest product, as of a sum of such the last digits are rounding."""
    flat = [1.0]

    def walk(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif math.isfinite(value):
            flat.append(abs(value))

    walk(model)
    coeff = max(flat)
    flat = [1.0]
    walk(datum)
    return coeff * max(flat)


def check(site, datum, model):
    nearly(site, datum, model, scale=scale(datum, model))


def numbers(rng, size):
    return [rng.choice([rng.uniform(-9, 9), rng.randrange(-9, 9), 0.0, 1e6]) for _ in range(size)]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 41, 64, 65, 129, 500, 501])
def test_vectors(size, known):
    rng = random.Random(size)
    model = {"coeff": [*map(float, numbers(rng, size))], "const": 0.25}
    site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model} if known else {})
    for _ in range(20):
        check(site, numbers(rng, size), model)
    for other in (size + 1, size - 1, 0):
        check(site, [1.0] * max(other, 0), model)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_come_through_a_zero_coefficient(bad):
    model = {"coeff": [0.0, 2.0], "const": 1.0}
    for known in ({}, {1: model}):
        site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known=known)
        for datum in ([bad, 1.0], [1.0, bad], [bad, bad]):
            check(site, datum, model)
        assert math.isnan(site.specialised()([bad, 1.0], model))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_coefficients_that_are_not_finite(bad):
    for model in ({"coeff": [bad, 2.0], "const": 1.0}, {"coeff": [1.0], "const": bad}):
        site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model})
        check(site, [0.0] * len(model["coeff"]), model)


def test_a_list_display_is_written_out():
    model = {"coeff": [2.0, -0.5, 4], "const": 1.0}
    site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model})
    site.args = ["[v_a, v_b['k'], (-1.5)]", "c_model"]
    text = linear._linear(site)
    assert text == "(0.0 + v_a * 2.0 + v_b['k'] * -0.5 + (-1.5) * 4.0 + 1.0)"
    assert eval(text, {"v_a": 3, "v_b": {"k": 2.0}}) == 0.0


@pytest.mark.parametrize(
    "text", ["[f(a, b), c]", "[a]", "[*a, b]", "[a, 'b, c']", "[a if b else c, d]", "a"]
)
def test_other_arguments_are_not(text):
    model = {"coeff": [2.0, 1.0], "const": 1.0}
    site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model})
    site.args = [text, "c_model"]
    assert linear._linear(site) == f"linear_0({text})"


def test_negative_zeros_add_up_to_zero_in_every_form(monkeypatch):
    model = {"coeff": [-0.0, 0.0], "const": -0.0}
    for known in ({}, {1: model}):
        site = FakeSite(NAME, [DOUBLES, VECTOR], "double", known=known)
        assert repr(site.specialised()([1.0, -1.0], model)) == "0.0"
    monkeypatch.setattr(prepared, "MANY", 0)
    rows = {"coeff": [model["coeff"]] * 2, "const": [-0.0] * 2}
    for known in ({}, {1: rows}):
        site = FakeSite(NAME, list(FORMS[1][:2]), DOUBLES, known=known)
        assert repr(site.specialised()([1.0, -1.0], rows)) == "[0.0, 0.0]"


def test_all_forms_give_the_same_digits():
    rng = random.Random(5)
    model = {"coeff": [rng.uniform(-1, 1) for _ in range(90)], "const": 0.1}
    datum = [rng.uniform(-1, 1) for _ in range(90)]
    forms = [
        FakeSite(NAME, [DOUBLES, VECTOR], "double", known=known).specialised()(datum, model)
        for known in ({}, {1: model})
    ]
    names = [f"x{i}" for i in range(90)]
    matrix = {"coeff": [model["coeff"]], "const": [0.1]}
    forms += FakeSite(NAME, list(FORMS[1][:2]), DOUBLES).specialised()(datum, matrix)
    by_name = {"coeff": dict(zip(names, model["coeff"], strict=True)), "const": 0.1}
    site = FakeSite(NAME, list(FORMS[2][:2]), "double")
    forms.append(site.specialised()(dict(zip(names, datum, strict=True)), by_name))
    assert len(set(forms)) == 1


def test_matrices():
    rng = random.Random(2)
    site = FakeSite(NAME, list(FORMS[1][:2]), DOUBLES)
    for rows in range(4):
        for size in range(4):
            model = {
                "coeff": [numbers(rng, size) for _ in range(rows)],
                "const": numbers(rng, rows),
            }
            check(site, numbers(rng, size), model)
            check(site, numbers(rng, size + 1), model)
            check(site, [math.nan] * size, model)
    check(site, [1.0], {"coeff": [[1.0], []], "const": [1.0, 2.0]})
    check(site, [1.0], {"coeff": [[1.0]], "const": [1.0, 2.0]})
    check(site, [], {"coeff": [[]], "const": [1]})


@pytest.mark.parametrize("block", [8, 100, 16_000])
def test_a_large_matrix_gives_the_digits_of_a_loop(block, monkeypatch):
    monkeypatch.setattr(linear, "_BLOCK", block)
    monkeypatch.setattr(prepared, "MANY", 0)
    monkeypatch.setattr(prepared, "_ENOUGH", 1)
    rng = random.Random(block)
    alone = linear.of_matrix((NAME, None, "[]"))
    for _ in range(200):
        made = linear.of_constant_matrix((NAME, None, "[]"))
        size, share = rng.randint(1, 40), rng.choice([0.0, 0.0, 0.1])

        def drawn(count, share=share):
            usual = numbers(rng, count)
            return [rng.choice(ODD) if rng.random() < share else x for x in usual]

        rows = rng.randint(1, 30)
        coeff = [[*map(float, drawn(size))] for _ in range(rows)]
        model = {"coeff": coeff, "const": drawn(rows)}
        for _ in range(3):
            datum = [*drawn(size - 1), rng.choice([0.5, 0.5, 10**400])]
            for given in (datum, datum[1:], [*datum, 1.0]):
                assert outcome(made, given, model) == outcome(alone, given, model)


def test_integers_in_a_large_matrix_are_doubles(monkeypatch):
    monkeypatch.setattr(prepared, "_ENOUGH", 20)
    monkeypatch.setattr(prepared, "MANY", 0)
    monkeypatch.setattr(prepared, "sys", SimpleNamespace(modules={}))  # numpy is not there yet
    made = linear.of_constant_matrix((NAME, None, "[]"))
    model = {"coeff": [[3, 1, 0, 0, 0], [2**60 + 1, 1, 0, 0, 0]], "const": [0, 1]}
    datum = [2**53 + 1, 0.5, 0.5, 0.5, 0.5]
    first = made(datum, model)
    assert first == [3.0 * 2.0**53 + 0.5, 2.0**113]
    assert [made(datum, model) for _ in range(3)] == [first] * 3


def test_only_a_large_constant_matrix_comes_to_numpy(monkeypatch):
    made = []
    monkeypatch.setattr(
        linear, "_with_numpy", lambda np, model: made.append(np) or (lambda x: None)
    )
    monkeypatch.setattr(prepared, "sys", SimpleNamespace(modules={}))  # numpy is not there yet
    for rows, size, calls in ((2, 999, 3000), (2, 1000, 999), (2, 1000, 1000), (2, 1000, 1100)):
        model = {"coeff": [[0.5] * size] * rows, "const": [0.0] * rows}
        site = FakeSite(NAME, list(FORMS[1][:2]), DOUBLES, known={1: model})
        function = site.specialised()
        for _ in range(calls):
            assert function([1.0] * size, model) == [0.5 * size] * rows
    assert made == [np, np]


def test_maps():
    rng = random.Random(3)
    names = ["a", "b", "c", "d"]

    def some():
        chosen = rng.sample(names, rng.randrange(5))
        return {
            name: rng.choice([rng.uniform(-5, 5), math.inf, math.nan, 0.0, 2]) for name in chosen
        }

    for _ in range(300):
        site = FakeSite(NAME, list(FORMS[2][:2]), "double")
        check(site, some(), {"coeff": some(), "const": rng.uniform(-1, 1)})
        site = FakeSite(NAME, list(FORMS[3][:2]), MAP)
        rows = {name: some() for name in rng.sample(names, rng.randrange(4))}
        check(site, some(), {"coeff": rows, "const": some()})


def test_other_types_are_left_to_titus():
    ints = {"type": "array", "items": "int"}
    site = FakeSite(NAME, [DOUBLES, record(coeff=ints, const="double")], "double")
    assert site.specialised() is None


def test_made_again():
    model = {"coeff": [2.0, 3.0], "const": 1.0}
    same(FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model}), [1.0, 1.0], model)
    same(FakeSite(NAME, [DOUBLES, VECTOR], "double", known={1: model}), [1.0], model)
