import pfa

HELLO = {"input": "double", "output": "double", "action": {"+": ["input", 100]}}


def test_hello():
    assert pfa.load(HELLO).score(3.14) == 103.14
