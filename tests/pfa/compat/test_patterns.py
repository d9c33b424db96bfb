"""Patterns of re.*: what is let through to libc, what is not, and that the process survives."""

import ctypes
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pfa import compat
from pfa.compat import patterns
from pfa.compat.loader import load
from pfa.compat.patterns import Measure, Refused, check, measure
from pfa.deadline import DeadlineExceeded, deadline

FUNCTIONS = Path(patterns.__file__).parents[2]
regex = load("titus.lib.regex")
PFARuntimeException = load("titus.errors").PFARuntimeException

RECORD = {
    "type": "record",
    "name": "Input",
    "fields": [{"name": "text", "type": "string"}, {"name": "pattern", "type": "string"}],
}
CODES = {
    "re.index": 35000,
    "re.contains": 35010,
    "re.count": 35020,
    "re.rindex": 35030,
    "re.groups": 35040,
    "re.indexall": 35050,
    "re.findall": 35060,
    "re.findfirst": 35070,
    "re.findgroupsfirst": 35080,
    "re.findgroupsall": 35090,
    "re.groupsall": 35100,
    "re.replacefirst": 35110,
    "re.replacelast": 35120,
    "re.split": 35130,
    "re.replaceall": 35140,
}


def engine(function, pattern=None):
    """An engine that calls ``function`` with a pattern from the document or from the input."""
    where = "input.pattern" if pattern is None else [pattern]
    args = ["input.text", where]
    if "replace" in function:
        args.append(["R"])
    document = {
        "input": RECORD,
        "output": "null",
        "action": [{"let": {"found": {function: args}}}, None],
    }
    return compat.engine(document)


def search(function, text, pattern, literal=False):
    return engine(function, pattern if literal else None).action({"text": text, "pattern": pattern})


def contains(text, pattern):
    document = {
        "input": RECORD,
        "output": "boolean",
        "action": {"re.contains": ["input.text", "input.pattern"]},
    }
    return compat.engine(document).action({"text": text, "pattern": pattern})


@pytest.mark.parametrize(
    ("pattern", "measured"),
    [
        ("", Measure(1, False, False, 0)),
        ("abc", Measure(3, False, False, 0)),
        ("^abc$", Measure(5, False, False, 0)),
        ("a.c[x-z]", Measure(4, False, False, 0)),
        ("[]]x", Measure(2, False, False, 0)),
        ("[^]*(]x", Measure(2, False, False, 0)),
        ("[[:alpha:]_]x", Measure(2, False, False, 0)),
        ("[[.].]*]x", Measure(2, False, False, 0)),
        (r"\(\*\{", Measure(3, False, False, 0)),
        ("a{3}", Measure(3, False, False, 0)),
        ("(ab){3}c", Measure(10, False, False, 0)),
        ("a{2,5}", Measure(5, True, False, 0)),
        ("a{2,}", Measure(3, True, False, 0)),
        ("a{,5}", Measure(5, True, False, 0)),
        ("a{0}b", Measure(2, False, False, 0)),
        ("a+", Measure(2, True, False, 0)),
        ("((a+)+)+", Measure(14, True, False, 0)),
        ("a*b?", Measure(2, True, False, 0)),
        ("cat|dog", Measure(7, False, True, 0)),
        ("^(cat|dog)$", Measure(10, False, True, 0)),
        ("(cat|dog)s", Measure(9, True, True, 0)),
        ("(a|b)(c|d)", Measure(8, True, True, 0)),
        ("(a|b){3}", Measure(12, True, True, 0)),
        (r"(.)\1", Measure(3, False, False, 1)),
        (r"(a*)x\1", Measure(4, True, False, 1)),
        ("a{x", Measure(3, False, False, 0)),
        (")(", Measure(1, False, False, 0)),
    ],
)
def test_measure(pattern, measured):
    assert measure(pattern.encode()) == measured


# what they did to a process without limits, with 3 GB of address space
ATTACKS = {
    "stack overflow, repeats": "((a{1,200}){1,200}){1,200}",
    "stack overflow, groups": "(" * 200_000,
    "stack overflow, closed groups": "(" * 900 + ")" * 900,
    "memory, repeats": "a" + "{10,}" * 20,
    "memory, repeats of nothing": "()" + "{1,1000}" * 3,
    "memory, alternatives": "a|" * 1_000_000,
    "memory, plus": "(" * 40 + "a" + "+)" * 40,
    "long": "a" * 2001,
    "large": "a{1001}",
    "large alternative": "(a|b){400}",
    "huge number": "a{" + "9" * 1000 + "}",
    "several back-references": r"(a*)*(a*)*\1\2",
    "repeated back-reference": r"(([ab]*)[ab]*\2)*c",
    "repeated back-reference, counted": r"(a*)\1{2}c",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused(name):
    with pytest.raises(Refused):
        check(ATTACKS[name].encode(), 1)


@pytest.mark.parametrize("function", CODES)
@pytest.mark.parametrize("literal", [True, False], ids=["in the document", "in the input"])
def test_refused_patterns_are_bad_patterns(function, literal):
    with pytest.raises(PFARuntimeException, match="bad pattern: more than 1000") as caught:
        search(function, "aaa", "a{1001}", literal)
    assert caught.value.code == CODES[function]


def test_refused_bytes_pattern():
    document = {
        "input": "bytes",
        "output": "boolean",
        "action": {"re.contains": [{"base64": "YWJj"}, "input"]},
    }
    scorer = compat.engine(document)
    assert scorer.action("b") is True
    with pytest.raises(PFARuntimeException, match="bad pattern: "):
        scorer.action("((a{1,200}){1,200}){1,200}")


SURVIVOR = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from pfa import compat
text, patterns = json.load(sys.stdin)
scorer = compat.engine({
    "input": {"type": "record", "name": "I", "fields": [
        {"name": "t", "type": "string"}, {"name": "p", "type": "string"}]},
    "output": "int", "action": {"re.count": ["input.t", "input.p"]}})
for pattern in patterns:
    try:
        print(json.dumps(scorer.action({"t": text, "p": pattern})))
    except Exception as error:
        print(json.dumps(str(getattr(error, "code", error))))
"""


def survivor(text, several):
    """Search in a process of its own with 3 GB; gives count or error code for each pattern."""
    run = subprocess.run(
        [sys.executable, "-c", SURVIVOR],
        input=json.dumps([text, several]),
        env={"PYTHONPATH": str(FUNCTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_process_survives_the_attacks():
    assert survivor("aab", list(ATTACKS.values())) == ["35020"] * len(ATTACKS)


# as large as is let through
LARGEST = [
    "a{1000}",
    "(a?b?){100}a{500}",
    "(((a{1,9}){1,9}){1,9})",
    "[ab]*a[ab]{900}c",
    "()" * 900,
    "(" * 50 + "a" + ")" * 50,
    "(a+)+" * 30,
    "|".join(["a"] * 500),
    "(|a)" * 200,
    r"(a*)(a*)*\1b",
]


def test_process_survives_the_largest_patterns():
    for pattern in LARGEST:
        measure(pattern.encode())
    text = "ab" * 40
    assert all(isinstance(result, int) for result in survivor(text, LARGEST))


def test_process_survives_the_longest_text():
    """Each byte of text can need a new state of the automaton: size times length is limited."""
    pattern = "[ab]*a[ab]{100}c"
    longest = patterns._most_bytes(measure(pattern.encode()))
    text = "".join(random.Random(1).choices("ab", k=longest))
    assert survivor(text, [pattern]) == [0]
    assert survivor(text + "a", [pattern]) == ["35020"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("needle", "hay" * 300_000 + "needle"),
        ("cat|dog|fish", "hay " * 30_000 + "fish"),
        ("[a-z]+@[a-z]+[.][a-z]+", "some words and more " * 700 + "me@example.org"),
        ("^[0-9]{1,3}([.][0-9]{1,3}){3}$", "192.168.100.200"),
        (r"\bword[0-9]*\b", "some text " * 1000 + "word12 "),
        (r"(.)(.)\2", "abcdefghijkk" * 100 + "xx"),
    ],
)
def test_ordinary_use(pattern, text):
    assert contains(text, pattern) is True
    assert contains("", pattern) is False


def test_long_text_says_so():
    with pytest.raises(PFARuntimeException, match="costly for a text of more than 33333 bytes"):
        contains("a" * 33334, ".*a.*b.*c")


def test_pieces_find_what_one_search_finds(monkeypatch):
    """A text cut by where a match may start gives the same match and groups as regexec."""
    libc = regex.ctypes.cdll.LoadLibrary("libc.so.6")
    make = random.Random(5)
    parts = ["a", "b", ".", "(a|b)", "(a*)", "[ab]", "(", ")", "*", "|", "^", "$", r"\b", "{1,2}"]
    matches = 0
    for _ in range(3000):
        pattern = "".join(make.choices(parts, k=make.randint(1, 7))).encode()
        text = "".join(make.choices("abc ", k=make.randint(0, 12))).encode()
        found = []
        for at_once in (1000, -1):
            monkeypatch.setattr(patterns, "_AT_ONCE", at_once)
            try:
                searcher = regex.Regexer(text, pattern, 0, "re.index", None)
            except PFARuntimeException:
                break
            region = searcher.getRegion() if searcher.search(0) else None
            found.append(region and (region.beg, region.end))
            searcher.free()
        if found:
            assert found[0] == found[1], (pattern, text)
            matches += found[0] is not None
    assert matches > 500
    assert hasattr(libc._libc, "re_search")


def test_a_deadline_comes_between_pieces_and_the_pattern_is_freed(monkeypatch):
    freed = []
    text = "ab" * 20_000
    scorer = engine("re.contains", "(a|b)*c")
    scorer.action({"text": "", "pattern": ""})
    free = regex.Regexer.libc.regfree
    monkeypatch.setattr(regex.Regexer.libc, "regfree", lambda it: (freed.append(it), free(it)))
    with pytest.raises(DeadlineExceeded), deadline(0.05):
        scorer.action({"text": text, "pattern": ""})
    assert len(freed) == 1


def test_other_users_of_ctypes_notice_nothing():
    assert ctypes.cdll.LoadLibrary("libc.so.6").regexec is not regex.Regexer.libc
    assert "regex" not in type(ctypes.cdll).__module__
