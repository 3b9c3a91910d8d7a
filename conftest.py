"""Where tests run that need a place of their own, and what holds there before each."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

#: At most, of one test.
ATTEMPTS = 3
TESTS = Path(__file__).with_name("tests")
INSIDE, WATCH_LIMIT, SMALL_QUEUE, FAMD = (
    runpy.run_path(str(TESTS / f"{name}.py"))
    for name in ("inside", "watch_limit", "small_queue", "famd")
)

PLACES = [
    INSIDE["Place"](
        "own_limits",
        "run in a user namespace, where it may set the limits of inotify",
        # Nobody makes the queue small meanwhile.
        ("flock", "--shared", "--no-fork", str(SMALL_QUEUE["LIMIT"]), *WATCH_LIMIT["NAMESPACE"]),
        WATCH_LIMIT["why_not"],
    ),
    INSIDE["Place"](
        "famd",
        "run where SGI's famd serves, as all tests of the backend `fam` are",
        FAMD["SERVED"],
        FAMD["why_not"],
        backend="fam",
        # It fails now and then where a directory above has thousands of names, as /tmp may.
        scratch="/var/tmp",
    ),
    INSIDE["Place"](
        "gamin",
        "run in the background: the backend `gamin` tells all a second later",
        (),
        lambda: None,
        backend="gamin",
        at_a_time=2,
    ),
]


def pytest_configure(config: pytest.Config) -> None:
    """Make them known."""
    config.pluginmanager.register(INSIDE["Inside"](*PLACES))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Where famd serves: wait for it, and carry out a test again that failed because famd did."""
    if not FAMD["is_inside"]():
        return None
    for _ in range(ATTEMPTS):
        FAMD["wait"](FAMD["serves"])
        failures = FAMD["failures"]()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if not any(report.failed for report in reports) or FAMD["failures"]() == failures:
            break
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
