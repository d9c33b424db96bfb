"""Time zones: what titus takes from pytz, with the lists of it filled in.

pytz fills them in when a zone is first asked for, and does not begin anew: if the time of a record
is up in between, the other zones are unknown to the process from then on. An import comes to its
end (see pfa.deadline).
"""

from pytz import exceptions, timezone  # type: ignore[import-untyped]

__all__ = ["exceptions", "timezone"]

timezone("GMT")
