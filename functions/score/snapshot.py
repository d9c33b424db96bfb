"""Before and after Lambda freezes this process into a snapshot (SnapStart).

A process may be restored many times, days later and side by side: what was open is not, what was
fresh may be old, and what was drawn by chance would be drawn again by each. Lambda's runtime has
the registry of hooks; elsewhere there is none.
"""

from __future__ import annotations

import importlib

from score import store


def rest() -> None:
    """Close what is open."""
    store.STORE.rest()


def renew() -> None:
    """Open it again, and ask for every live model again when it is next wanted."""
    store.STORE.renew()


def register() -> bool:
    """Have Lambda call both; say whether there is a registry."""
    try:
        hooks = importlib.import_module("snapshot_restore_py")
    except ImportError:
        return False
    hooks.register_before_snapshot(rest)
    hooks.register_after_restore(renew)
    return True
