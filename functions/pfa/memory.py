"""Keep a computation from taking the process with it when it takes too much memory.

Where a process may have no more memory than the machine gives it, as on Lambda, one that asks for
more is killed, with all the models that it holds. With a limit of its own Python raises
MemoryError, which is then the error of one record or one document.
"""

import gc
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pfa.deadline import deadline

# Besides private data a process holds its libraries' code, 30 MB with numpy and botocore.
_RESERVE = 64 << 20

# What has to be left for numpy to be imported where one can do without: it maps 110 MB, more on
# many cores.
_NUMPY = 256 << 20

# And before a deadline: it takes 0.1 s, more where a processor is shared.
_SECONDS = 1.0

_budgets = 0  # in force


def affords_numpy() -> bool:
    """Tell whether numpy is there, or may be imported only to be faster.

    Not within a ``memory_budget``, which is for what the model itself needs, nor near the limit of
    the process, nor where a deadline is near: the record would be too late. It takes 30 µs.
    """
    if "numpy" in sys.modules:
        return True
    if _budgets or deadline.left() < _SECONDS:
        return False
    try:
        import resource
    except ImportError:  # Windows
        return True
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return soft == resource.RLIM_INFINITY or soft - _in_use() >= _NUMPY


@cache
def numpy() -> Any:
    """Return numpy; the memory that it takes at first is on no one's account.

    Its OpenBLAS ends the process if it does not get 80 MB at the import, and 32 MB for the first
    matrix; it touches little of that. So a limit is lifted meanwhile, and raised by as much.
    """
    in_use = _in_use()
    if not in_use:
        return importlib.import_module("numpy")
    import resource  # there, where there is /proc

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        module = importlib.import_module("numpy")
        module.linalg.inv(module.eye(2))
    finally:
        taken = max(_in_use() - in_use, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (_raised(soft, taken, hard), hard))
    return module


def _raised(soft: int, by: int, hard: int) -> int:
    """Return a limit raised by so many bytes, as far as that is allowed; -1 is none."""
    if soft < 0:
        return soft
    return soft + by if hard < 0 else min(soft + by, hard)


def limit_memory(most: int) -> bool:
    """Limit this process's private memory, as far as it is not limited already.

    ``most`` is in bytes, what the process may have in all. Gives whether there is such a limit
    now: some systems have none, and one below what is in use already would stop the process.
    """
    try:
        import resource
    except ImportError:  # Windows
        return False
    # RLIMIT_DATA is what Linux counts as VmData: heap and private mappings, whether touched or
    # not; numpy maps 100 MB that it hardly touches. RLIMIT_AS would count thread stacks as well.
    wanted = most - _RESERVE
    if wanted <= _in_use():
        return False
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (soft, hard, wanted) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    return True


@contextmanager
def memory_budget(most: int | None) -> Iterator[None]:
    """Raise MemoryError in a ``with`` block that takes more private memory than ``most`` bytes.

    What the process has in use when the block starts, and memory that Python holds in reserve, do
    not count; ``None`` means no limit. It is a limit of the whole process, so it is there for the
    main thread only, as ``deadline`` is; elsewhere, and where the system has no such limit, this
    does nothing.
    """
    global _budgets
    in_use = 0
    if most is not None and threading.current_thread() is threading.main_thread():
        in_use = _in_use()
    if not in_use or most is None:
        yield
        return
    import resource  # there, where there is /proc

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    limit = min([*limits, in_use + most])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    _budgets += 1
    try:
        yield
    finally:
        _budgets -= 1
        by = max(resource.getrlimit(resource.RLIMIT_DATA)[0] - limit, 0)  # for numpy
        resource.setrlimit(resource.RLIMIT_DATA, (_raised(soft, by, hard), hard))


def _in_use() -> int:
    """Give the bytes of private memory in use; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0


def resident_bytes() -> int:
    """Return how much memory of the machine this process has; 0 where the system does not say."""
    try:
        # The second field of proc(5)'s statm, in pages.
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def release(error: BaseException | None) -> None:
    """Let go of what the code that ran out of memory still holds in its variables.

    They hang on the error's traceback, in circles that only the garbage collector opens; what
    comes next may need the memory before it would have run.
    """
    while error is not None:  # and what it came upon, which may have held the memory
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
    gc.collect()
