import contextlib
import gc
import importlib
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from pfa.deadline import DeadlineExceeded, deadline


def spin():
    while True:
        pass


def spin_catching(everything):
    while True:
        with contextlib.suppress(everything):
            spin()


@pytest.fixture(autouse=True)
def alarm_as_before():
    """Whatever a test does, the alarm's handler and timer are as they were after it."""
    handler = signal.getsignal(signal.SIGALRM)
    left, again = signal.getitimer(signal.ITIMER_REAL)
    yield
    assert signal.getsignal(signal.SIGALRM) is handler
    now, now_again = signal.getitimer(signal.ITIMER_REAL)
    assert (now > 0) == (left > 0)
    assert now_again == again
    assert deadline._running == []


def test_interrupts_a_loop():
    with pytest.raises(DeadlineExceeded, match=r"longer than 0\.05 s"), deadline(0.05):
        spin()


def test_lets_a_quick_block_pass():
    with deadline(30) as block:
        result = sum(range(10))
    assert result == 45
    assert block.seconds == 30


def test_is_not_caught_by_except_exception():
    with pytest.raises(DeadlineExceeded), deadline(0.05):
        spin_catching(Exception)


def test_comes_again_when_everything_is_caught():
    caught = []
    with pytest.raises(DeadlineExceeded), deadline(0.02):
        for _ in range(3):
            try:
                spin()
            except BaseException as error:
                caught.append(error)
        spin()
    assert [type(error) for error in caught] == [DeadlineExceeded] * 3


@pytest.mark.parametrize("seconds", [0, -1, -float("inf")])
def test_a_deadline_in_the_past_has_passed(seconds):
    with pytest.raises(DeadlineExceeded), deadline(seconds):
        spin()


@pytest.mark.parametrize("seconds", [None, float("inf")])
def test_no_limit_sets_no_alarm(seconds):
    before = signal.getsignal(signal.SIGALRM)
    with deadline(seconds):
        assert signal.getsignal(signal.SIGALRM) is before


def test_not_a_number():
    with pytest.raises(ValueError, match="number of seconds"):
        deadline(float("nan"))


def test_other_exceptions_go_through():
    with pytest.raises(KeyError), deadline(30):
        raise KeyError


@pytest.mark.parametrize(("outer", "inner"), [(0.05, 30), (30, 0.05), (0.05, 0.05)])
def test_nested_the_earliest_counts(outer, inner):
    with pytest.raises(DeadlineExceeded, match=r"longer than 0\.05 s"):  # noqa: SIM117
        with deadline(outer):
            with deadline(inner):
                spin()


def test_outer_goes_on_after_an_inner_one_has_passed():
    with deadline(30):
        with pytest.raises(DeadlineExceeded), deadline(0.02):
            spin()
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 25
        with pytest.raises(DeadlineExceeded), deadline(0.02):
            spin()


def test_outer_still_comes_after_an_inner_one_has_passed():
    with pytest.raises(DeadlineExceeded, match=r"0\.1 s"), deadline(0.1):
        with contextlib.suppress(DeadlineExceeded), deadline(0.02):
            spin()
        spin()


def test_outer_still_comes_after_an_inner_one_without_limit():
    with pytest.raises(DeadlineExceeded), deadline(0.05):
        with deadline(None):
            pass
        spin()


def test_does_nothing_in_another_thread():
    seen = []

    def run():
        with deadline(0.001):
            time.sleep(0.05)
        seen.append("ended")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == ["ended"]


@pytest.fixture
def foreign_alarm():
    """Somebody else's alarm: gives the list that it writes to."""
    rang = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rang.append(time.monotonic()))
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield rang
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


def test_puts_back_a_foreign_alarm(foreign_alarm):
    signal.setitimer(signal.ITIMER_REAL, 100, 7)
    handler = signal.getsignal(signal.SIGALRM)
    with deadline(30):
        assert signal.getsignal(signal.SIGALRM) is not handler
    assert signal.getsignal(signal.SIGALRM) is handler
    left, again = signal.getitimer(signal.ITIMER_REAL)
    assert 90 < left <= 100
    assert again == 7
    assert foreign_alarm == []


def test_a_foreign_alarm_that_was_due_goes_off_after_the_block(foreign_alarm):
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with deadline(30):
        time.sleep(0.05)
        assert foreign_alarm == []
    until = time.monotonic() + 10
    while not foreign_alarm and time.monotonic() < until:
        time.sleep(0.001)
    assert len(foreign_alarm) == 1


def test_never_raises_outside_the_block():
    """The alarm falls everywhere around the block's two ends; nothing may come out behind it."""
    outcomes = {True: 0, False: 0}
    for i in range(3000):
        raised = False
        try:
            with deadline((i % 100) * 1e-6):
                for _ in range(i % 37):
                    pass
        except DeadlineExceeded:
            raised = True
        outcomes[raised] += 1
        # an exception from here on fails the test, a timer left on does so in the fixture
        assert deadline._running == []
        assert signal.getsignal(signal.SIGALRM).__module__ != "pfa.deadline"
    assert outcomes[True] and outcomes[False]


SLOW = """
import time
until = time.monotonic() + 0.2
while time.monotonic() < until:
    pass
"""


def test_lets_an_import_come_to_its_end(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(SLOW + "done = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeadlineExceeded), deadline(0.05):
        importlib.import_module("slow_to_import")
        spin()
    assert sys.modules.pop("slow_to_import").done


def test_interrupts_a_block_in_an_import(tmp_path, monkeypatch):
    """As when a model is loaded while the module of the function is imported."""
    text = (
        "from pfa.deadline import deadline\nwith deadline(0.05):\n    while True:\n        pass\n"
    )
    (tmp_path / "spins_at_import.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeadlineExceeded):
        importlib.import_module("spins_at_import")


def test_numpy_can_be_imported_after_a_deadline_in_its_import():
    pytest.importorskip("numpy")
    program = """if True:
        import time
        from importlib.machinery import ExtensionFileLoader
        from pfa.deadline import DeadlineExceeded, deadline

        load = ExtensionFileLoader.exec_module

        def slow(self, module):
            load(self, module)
            if module.__name__ == "numpy._core._multiarray_umath":
                time.sleep(0.4)

        ExtensionFileLoader.exec_module = slow
        try:
            with deadline(0.3):
                import numpy
                while True:
                    pass
        except DeadlineExceeded:
            import numpy
            print(numpy.zeros(2).sum())
        """
    env = {"PYTHONPATH": "functions"}
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=False)
    assert (ran.stderr, ran.stdout) == (b"", b"0.0\n")


def test_a_callback_of_the_garbage_collector_is_left_alone():
    """What is raised in one would be printed, and lost."""
    done = []

    def slow(phase, _info):
        ends = time.monotonic() + 0.05
        while time.monotonic() < ends:
            pass
        done.append(phase)

    gc.callbacks.append(slow)
    try:
        with pytest.raises(DeadlineExceeded), deadline(0.02):
            gc.collect()
            while True:
                pass
    finally:
        gc.callbacks.remove(slow)
    assert done.count("start") == done.count("stop") > 0


def test_a_callback_of_an_objects_end_is_left_alone():
    """What is raised in one would be printed, and lost, and the rest of it not done."""
    done = []

    def slow():
        ends = time.monotonic() + 0.05
        while time.monotonic() < ends:
            pass
        done.append(1)

    class Thing:
        pass

    thing = Thing()
    weakref.finalize(thing, slow)
    with pytest.raises(DeadlineExceeded), deadline(0.02):
        del thing
        while True:
            pass
    assert done == [1]
