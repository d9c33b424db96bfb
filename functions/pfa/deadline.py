"""Stop Python code that runs too long.

titus looks at the clock in a few of its loops only, and a document's ``try`` may catch what it
raises then. ``deadline`` interrupts any Python code, with an exception that ``except Exception``
does not catch. It cannot interrupt a C function: the exception comes when that returns. It lets
an import come to its end: some modules, numpy among them, cannot be imported again after half of
it, so that one late record would cost a process all models which need them.
"""

import gc
import math
import signal
import sys
import threading
import time
import weakref
from types import FrameType, TracebackType
from typing import Any, Literal

# The alarm repeats, for code that catches everything (``except:``): it is interrupted again after
# so many seconds, until the block is left.
_AGAIN = 0.01


class DeadlineExceeded(BaseException):
    """A block under a deadline ran out of time."""


class deadline:  # noqa: N801
    """Raise DeadlineExceeded in a ``with`` block that runs longer than ``seconds``.

    ``None`` and infinity mean no limit; zero or less has passed already. Blocks may be nested: the
    earliest deadline counts. What ran in the block is in an unknown state afterwards: ``finally``
    clauses have run, handlers of Exception have not, so throw its objects away.

    Python runs signal handlers in the main thread only; elsewhere, and where there is no SIGALRM,
    this does nothing. An alarm that somebody else set waits, and goes off after the block if its
    time has come in between.
    """

    # of all blocks that the main thread is in, outermost first
    _running: "list[deadline]" = []  # noqa: RUF012

    def __init__(self, seconds: float | None) -> None:
        """Take the time that a block may run, in seconds.

        Raises ValueError if it is not a number.
        """
        if seconds is not None and math.isnan(seconds):
            raise ValueError("a deadline must be a number of seconds")
        self.seconds = math.inf if seconds is None else seconds
        self._ends = math.inf
        self._active = False
        self._frame: FrameType | None = None  # of the code that the block is in
        self._handler: Any = None
        self._started = 0.0
        self._timer = (0.0, 0.0)

    @staticmethod
    def works() -> bool:
        """Tell whether a deadline stops anything here."""
        return (
            hasattr(signal, "setitimer")
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGALRM) is not None  # set by C code: cannot be put back
        )

    @staticmethod
    def left() -> float:
        """Give the seconds to the main thread's earliest deadline; infinity if it has none."""
        earliest = min((block._ends for block in deadline._running), default=math.inf)
        return earliest - time.monotonic()

    def __enter__(self) -> "deadline":
        """Start the clock."""
        if self.seconds == math.inf or not self.works():
            return self
        self._started = time.monotonic()
        self._ends = self._started + self.seconds
        if not deadline._running:
            self._handler = signal.signal(signal.SIGALRM, _interrupt)
            self._timer = signal.setitimer(signal.ITIMER_REAL, 0)
        self._active = True
        self._frame = sys._getframe(1)
        deadline._running.append(self)
        _arm()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        """Stop the clock; whatever was raised goes on."""
        if self._active:
            self._active = False
            self._frame = None
            deadline._running.remove(self)
            if deadline._running:
                _arm()
            else:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._handler)
                left, again = self._timer
                if left:
                    left -= time.monotonic() - self._started
                    signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), again)
        return False


def _arm() -> None:
    """Set the timer to the earliest deadline, and to come again."""
    signal.setitimer(signal.ITIMER_REAL, max(deadline.left(), 1e-6), _AGAIN)


# Raising in these would leave the timer set, or the block entered only in part. They take
# microseconds, and the alarm comes again. Between the end of a block and the start of __exit__
# CPython runs no signal handlers.
_UNTOUCHED = frozenset(
    function.__code__ for function in (deadline.__enter__, deadline.__exit__, _arm)
)


_FINALIZE = weakref.finalize.__call__.__code__
_IMPORT = "<frozen importlib"  # how the file names of Python's import system begin


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle the alarm: raise in the interrupted code if a deadline has passed."""
    # What is raised in a callback of the garbage collector, or in one that objects have for their
    # end, is printed, and lost: it comes again.
    lost = {_FINALIZE, *(getattr(callback, "__code__", None) for callback in gc.callbacks)}
    outer = frame
    while outer is not None:
        if outer.f_code in _UNTOUCHED or outer.f_code in lost:
            return
        outer = outer.f_back
    now = time.monotonic()
    for block in deadline._running:
        if block._ends <= now and not _importing(frame, block._frame):
            raise DeadlineExceeded(f"ran longer than {block.seconds:g} s")


def _importing(frame: FrameType | None, block: FrameType | None) -> bool:
    """Tell whether an import runs inside the block; the block itself may be in one."""
    importing = False
    while frame is not None and frame is not block:
        importing = importing or frame.f_code.co_filename.startswith(_IMPORT)
        frame = frame.f_back
    return importing and frame is not None
