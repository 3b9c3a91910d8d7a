"""Plugins as they should not be, each with what is said of it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, NamedTuple

_INSTALLING = runpy.run_path(str(Path(__file__).with_name("installing.py")))
_working = _INSTALLING["backend"]

#: Where the backends among them would be picked, if they could be used.
BEST = 99


class Bad(NamedTuple):
    """One plugin."""

    #: "usable", "broken", …
    status: str
    #: Reason and hint; "…" for what depends on the version of Python.
    said: str
    source: str
    #: What the entry point is, with its module's name to be put in.
    target: str = "{module}"


def _backend(name: str, **parts: Any) -> str:
    source: str = _working(name, **({"priority": BEST} | parts))
    return source


def _hook(source: str) -> str:
    """The hook of a backend written in another way."""
    before, _, _ = _backend("any").partition("@famcore.hookimpl")
    return before + source


_AWAY = "upgrade or uninstall it"
_IMPORT = "import famcore\n"
_HOOK = f"{_IMPORT}@famcore.hookimpl\n"

#: By the name of the entry point.
BACKENDS = {
    # At import
    "raises": Bad(
        "broken",
        f"its import fails: ValueError: two lines; {_AWAY}",
        "raise ValueError('two\\nlines')",
    ),
    "asserts": Bad("broken", f"its import fails: AssertionError; {_AWAY}", "assert False"),
    "exits": Bad("broken", f"its import fails: SystemExit: 3; {_AWAY}", "raise SystemExit(3)"),
    "ends": Bad(
        "broken",
        f"its import fails: End: of all; {_AWAY}",
        "class End(BaseException): ...\nraise End('of all')",
    ),
    "garbled": Bad("broken", f"its import fails: SyntaxError: …; {_AWAY}", "def (:"),
    "lacking": Bad(
        "broken",
        "its import fails: ModuleNotFoundError: No module named 'no_such_module';"
        " install what brings no_such_module, or uninstall it",
        "import no_such_module",
    ),
    "mute": Bad(
        "broken",
        f"its import fails: Odd: it fails to say why; {_AWAY}",
        "class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd",
    ),
    # Its entry point
    "nowhere": Bad(
        "broken",
        "its entry point is 'no_such.place', but there is no module no_such; install it anew",
        "",
        "no_such.place",
    ),
    "nothing": Bad(
        "broken",
        "its entry point is 'bad_nothing:It.missing', but there is no missing in it;"
        " correct one of them",
        "class It: ...",
        "{module}:It.missing",
    ),
    "blank": Bad(
        "broken",
        "its entry point is 'not a module'; make it a module, or module:attribute",
        "",
        "not a module",
    ),
    # Its hook
    "hookless": Bad(
        "broken",
        "it implements no hook; put @famcore.hookimpl above a function named as one of …",
        "",
    ),
    "misnamed_hook": Bad(
        "broken",
        "fam_bakend is not a hook; did you mean fam_backend?",
        f"{_HOOK}def fam_bakend(): ...",
    ),
    "unmarked": Bad(
        "broken",
        "fam_backend is not decorated; put @famcore.hookimpl above it",
        "def fam_backend(): ...",
    ),
    "misspelt": Bad(
        "broken",
        "fam_backend takes 'optoins', but the hook gives no arguments",
        f"{_HOOK}def fam_backend(optoins=()): ...",
    ),
    "keyword": Bad(
        "broken",
        "fam_backend takes 'name', but the hook gives no arguments",
        f"{_HOOK}def fam_backend(*, name): ...",
    ),
    "awaited": Bad(
        "broken",
        "fam_backend is async and would never be awaited; make it a plain def",
        f"{_HOOK}async def fam_backend(): ...",
    ),
    "consumer": Bad(
        "broken",
        "it has no fam_backend; write @famcore.hookimpl def fam_backend(): return YourBackend",
        f"{_HOOK}def fam_events(events): ...",
    ),
    "failing_hook": Bad(
        "broken",
        f"its fam_backend fails: ZeroDivisionError: division by zero; {_AWAY}",
        f"{_HOOK}def fam_backend(): 1 / 0",
    ),
    # Its class
    "classless": Bad(
        "broken", "its backend is None; give the class", f"{_HOOK}def fam_backend(): ..."
    ),
    "instance": Bad(
        "broken",
        "its backend is <…>; give the class",
        _hook("@famcore.hookimpl\ndef fam_backend(): return It()"),
    ),
    "stranger": Bad(
        "broken",
        "Fraction is not a famcore.backend.Backend; make it a subclass",
        f"from fractions import Fraction\n{_HOOK}def fam_backend(): return Fraction",
    ),
    "half": Bad(
        "broken",
        "Half lacks __init__, check, close, fileno, read, unwatch, watch; write them",
        "from famcore.backend import Backend\nclass Half(Backend): api = 1\n"
        f"{_HOOK}def fam_backend(): return Half",
    ),
    "unversioned": Bad(
        "broken",
        "It.api is None; make it the number of the contract, 1 today",
        _backend("unversioned").replace("api = 1", ""),
    ),
    "alias": Bad(
        "broken",
        "It.name is 'another'; make it 'alias', as the entry point is called",
        _backend("another"),
    ),
    "proud": Bad(
        "broken",
        "It.priority is 1000; make it a number from 0 to 99",
        _backend("proud", priority=1_000),
    ),
    # Its check
    "failing_check": Bad(
        "broken",
        f"its check fails: RuntimeError: boom; {_AWAY}",
        _backend("failing_check", check="raise RuntimeError('boom')"),
    ),
    "exiting_check": Bad(
        "broken",
        f"its check fails: SystemExit: 1; {_AWAY}",
        _backend("exiting_check", check="raise SystemExit(1)"),
    ),
    "mute_check": Bad(
        "unavailable",
        "it doesn't say why",
        _backend(
            "mute_check",
            check="raise type('Mine', (BackendUnavailable,), {'__init__': object.__init__})()",
        ),
    ),
    "lined_check": Bad(
        "unavailable",
        "no server; start it",
        _backend("lined_check", check="raise BackendUnavailable('no\\nserver', 'start\\nit')"),
    ),
    "answering_check": Bad(
        "broken",
        "It.check() gives False, which says nothing;"
        " make it raise BackendUnavailable(reason, hint), or return",
        _backend("answering_check", check="return False"),
    ),
    "unbound_check": Bad(
        "broken",
        f"its check fails: TypeError: …; {_AWAY}",
        _backend("unbound_check").replace("@classmethod", "", 1).replace("(cls)", "(self)", 1),
    ),
    "about_nothing": Bad(
        "broken",
        "It.about() gives None; make it give a string",
        _backend("about_nothing", about="return None"),
    ),
    # Of another famcore
    "past": Bad(
        "incompatible",
        "it was written for contract 0, this famcore has 1; install a newer version of the plugin",
        # As it may have been: other methods, other words.
        "from famcore.backend import Backend\nclass Past(Backend):\n"
        "    name, api, rank = 'past', 0, 'kernel'\n    def poll(self): ...\n"
        f"{_HOOK}def fam_backend(): return Past",
    ),
    "future": Bad(
        "incompatible",
        "it was written for contract 2, this famcore has 1; install a newer version of famcore",
        _backend("future", api=2, check="return {'since': 'ever'}", capabilities="'RESUMES'"),
    ),
    "later": Bad(
        "incompatible",
        "its import fails: ImportError: cannot import name 'Cursor' from 'famcore.backend' (…);"
        " upgrade it or famcore, whichever is the older",
        "from famcore.backend import Cursor",
    ),
    "later_still": Bad(
        "incompatible",
        "its import fails: AttributeError: …RESUMES…;"
        " upgrade it or famcore, whichever is the older",
        _backend("later_still", capabilities="Capability.RESUMES"),
    ),
    # What is no hindrance
    "talking": Bad("usable", "", "print('here I am')\n" + _backend("talking", priority=20)),
    "warning": Bad(
        "usable",
        "",
        "import warnings\nwarnings.warn('old', DeprecationWarning)\n"
        + _backend("warning", priority=20),
    ),
    "slow": Bad(
        "usable",
        "",
        "import os, time\ntime.sleep(float(os.environ.get('NAP', 0)))\n"
        + _backend("slow", priority=20),
    ),
    "stuck": Bad("usable", "", _backend("stuck", opening="raise RuntimeError('out of order')")),
    "right": Bad("usable", "", _backend("right", priority=60)),
}

#: What `load_consumer` says, after the consumer's name and distribution.
CONSUMERS = {
    "raising": Bad("", f"its import fails: ZeroDivisionError: division by zero; {_AWAY}", "1 / 0"),
    "exiting": Bad("", f"its import fails: SystemExit: 3; {_AWAY}", "raise SystemExit(3)"),
    "absent": Bad(
        "",
        "its entry point is 'no_such', but there is no module no_such; install it anew",
        "",
        "no_such",
    ),
    "without_hook": Bad("", "it implements no hook; put @famcore.hookimpl above …", ""),
    "wrong_hook": Bad(
        "",
        "fam_evnts is not a hook; did you mean fam_events?",
        f"{_HOOK}def fam_evnts(events): ...",
    ),
    "wrong_argument": Bad(
        "",
        "fam_events takes 'event', but the hook gives fam, events; did you mean events?",
        f"{_HOOK}def fam_events(event=None): ...",
    ),
    "keyword_only": Bad(
        "",
        "fam_events takes 'events' by keyword only; remove the * before it",
        f"{_HOOK}def fam_events(*, events): ...",
    ),
    "never_awaited": Bad(
        "",
        "fam_events is async and would never be awaited; make it a plain def",
        f"{_HOOK}async def fam_events(events): ...",
    ),
    "a_backend": Bad("", "it implements fam_backend alone, so it is no consumer; …", _backend("x")),
    "failing_class": Bad(
        "",
        "LookupError: no log; it was given no options",
        "class Log:\n    def __init__(self): raise LookupError('no log')",
        "{module}:Log",
    ),
    "unhashable": Bad(
        "",
        "it can't be kept in a set (unhashable type: 'Log'); give Log a __hash__, …",
        f"{_IMPORT}class Log(dict):\n    @famcore.hookimpl\n    def fam_events(self, events): ...",
        "{module}:Log",
    ),
}
