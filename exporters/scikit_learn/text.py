"""Counts of words, and what they are worth.

Words are runs of letters, digits and underscores, as Unicode has them: every other character
becomes a space. Formulas: scikit-learn's user guide, 7.2.3 (text feature extraction).
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.document import DOUBLES, Document, Feature
from exporters.errors import UnsupportedError

_PATTERNS = {r"(?u)\b\w\w+\b": 2, r"(?u)\b\w+\b": 1}  # and the shortest word by it
_STRINGS = {"type": "array", "items": "string"}
_SPACE = {"string": " "}


def counts(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """How often each word of a vocabulary is in a text, or each sequence of some words."""
    terms = _terms(model)
    return document.elements(_counted(model, features, document, terms), terms)


def worth(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Counts of words, times their worth."""
    terms = _terms(model)
    counted = _counted(model, features, document, terms)
    return document.elements(_weighed(model._tfidf, document, counted), terms)


def weighed(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Any counts, times their worth."""
    made = _weighed(model, document, document.doubles(features))
    return document.elements(made, [feature.name for feature in features])


def _terms(model: Any) -> list[str]:
    return sorted(model.vocabulary_, key=model.vocabulary_.__getitem__)


def _counted(
    model: Any, features: Sequence[Feature], document: Document, terms: Sequence[str]
) -> str:
    """Return PFA of the array of the terms' counts."""
    grams = _grams(model, _words(model, features, document), document)
    same = {"params": [{"term": "string"}], "ret": "string", "do": "term"}
    groups = document.let("groups", {"a.groupby": [grams, same]})
    cell = document.cell("vocabulary", _STRINGS, list(terms))
    found = {"a.len": [{"attr": groups, "path": ["term"]}]}
    count = {
        "params": [{"term": "string"}],
        "ret": "double",
        "do": {
            "if": {"map.containsKey": [groups, "term"]},
            "then": 1.0 if model.binary else {"cast.double": [found]},
            "else": 0.0,
        },
    }
    return document.let("counts", {"a.map": [cell, count]})


def _words(model: Any, features: Sequence[Feature], document: Document) -> str:
    """Return PFA of the array of the words of a text."""
    name = type(model).__name__
    for option, only in (
        ("analyzer", "word"),
        ("tokenizer", None),
        ("preprocessor", None),
        ("strip_accents", None),
        ("input", "content"),
    ):
        if getattr(model, option) != only:
            raise UnsupportedError(f"{name} can be exported with {option}={only!r} only.")
    if model.token_pattern not in _PATTERNS:
        raise UnsupportedError(f"{name}: token_pattern must be one of {', '.join(_PATTERNS)}.")
    if len(features) != 1 or features[0].type != "string" or features[0].nullable:
        raise UnsupportedError(f"{name} takes one column of texts, none of them missing.")
    given: Any = features[0].value
    if model.lowercase:
        given = {"s.lower": [given]}
    marks = document.cell("marks", "string", _marks())
    blanks = document.let("blanks", {"s.repeat": [_SPACE, {"s.len": [marks]}]})
    plain = {"s.translate": [given, marks, blanks]}
    test: Any = {">=": [{"s.len": ["word"]}, _PATTERNS[model.token_pattern]]}
    stops = model.get_stop_words()
    if stops:
        cell = document.cell(
            "stop_words", {"type": "map", "values": "int"}, dict.fromkeys(sorted(stops), 1)
        )
        test = {"&&": [test, {"!": [{"map.containsKey": [cell, "word"]}]}]}
    keep = {"params": [{"word": "string"}], "ret": "boolean", "do": test}
    return document.let("words", {"a.filter": [{"s.split": [plain, _SPACE]}, keep]})


def _marks() -> str:
    """Return all characters that are in no word."""
    word = re.compile(r"\w")
    unused = ("Cn", "Co", "Cs")  # not assigned, private use, surrogates
    return "".join(
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) not in unused
        and character != " "
        and not word.match(character)
    )


def _grams(model: Any, words: str, document: Document) -> str:
    """Return PFA of the array of the sequences of words, each with spaces between."""
    least, most = model.ngram_range
    join = {
        "params": [{"gram": _STRINGS}],
        "ret": "string",
        "do": {"s.join": ["gram", _SPACE]},
    }
    made = [
        words if size == 1 else {"a.map": [{"a.slidingWindow": [words, size, 1]}, join]}
        for size in range(least, most + 1)
    ]
    grams = made[0]
    for more in made[1:]:
        grams = {"a.concat": [grams, more]}
    return document.let("grams", grams)


def _weighed(model: Any, document: Document, counted: str) -> str:
    """Return PFA of counts, times how rare each term is, over their norm."""
    term: Any = "count"
    if model.sublinear_tf:
        log = {"+": [{"m.ln": ["count"]}, 1.0]}
        term = {"if": {">": ["count", 0.0]}, "then": log, "else": 0.0}
    idf = getattr(model, "idf_", None)
    if idf is None:
        step = {"params": [{"count": "double"}], "ret": "double", "do": term}
        made = document.let("weighed", {"a.map": [counted, step]})
    else:
        cell = document.cell("rarity", DOUBLES, np.asarray(idf, dtype=float).tolist())
        step = {
            "params": [{"count": "double"}, {"rarity": "double"}],
            "ret": "double",
            "do": {"*": [term, "rarity"]},
        }
        made = document.let("weighed", {"a.zipmap": [counted, cell, step]})
    if model.norm is None:
        return made
    size = {"*": ["v", "v"]} if model.norm == "l2" else {"m.abs": ["v"]}
    part = {"params": [{"v": "double"}], "ret": "double", "do": size}
    total: Any = {"a.sum": [{"a.map": [made, part]}]}
    norm = document.let("norm", {"m.sqrt": [total]} if model.norm == "l2" else total)
    divisor = document.let("divisor", {"if": {"==": [norm, 0.0]}, "then": 1.0, "else": norm})
    share = {"params": [{"v": "double"}], "ret": "double", "do": {"/": ["v", divisor]}}
    return document.let("normalized", {"a.map": [made, share]})
