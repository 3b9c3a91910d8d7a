"""What is said of a plugin that fails: the cause in one line, and the way out."""

from __future__ import annotations

import types
from importlib.metadata import EntryPoint
from typing import NamedTuple

from famcore.errors import PluginError


class Failure(NamedTuple):
    """Why a plugin can't be used, and what would help."""

    reason: str
    #: "" where the reason says it.
    hint: str
    #: Whether it is made for another version of famcore.
    incompatible: bool = False

    @property
    def remark(self) -> str:
        """Both in one."""
        return f"{self.reason}; {self.hint}" if self.hint else self.reason


def describe(error: BaseException, name: str) -> str:
    """What to report of a failure of the plugin `name`: one line, without that name."""
    text = one_line(error)
    if isinstance(error, PluginError):
        return text.removeprefix(f"plugin {name!r}: ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(said: object) -> str:
    """What a plugin says, on one line: it may be anything, and fail when it is asked."""
    try:
        return " ".join(str(said).split())
    except Exception:
        return "it fails to say why"


def explain(error: BaseException, doing: str, name: str, entry_point: EntryPoint) -> Failure:
    """What to say of the plugin `name`, whose import or other part (`doing`) raised `error`."""
    if isinstance(error, PluginError):
        return Failure(describe(error, name), "")
    if doing == "import" and (wrong := _wrong_entry_point(error, entry_point)):
        return wrong
    reason = f"its {doing} fails: {describe(error, name)}"
    if _where_it_is_lacking(error).split(".")[0] == "famcore":
        return Failure(reason, "upgrade it or famcore, whichever is the older", incompatible=True)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return Failure(reason, f"install what brings {error.name}, or uninstall it")
    return Failure(reason, "upgrade or uninstall it")


def _wrong_entry_point(error: BaseException, entry_point: EntryPoint) -> Failure | None:
    """Of an entry point that names nothing; None if it names what is there."""
    said = f"its entry point is {entry_point.value!r}"
    try:
        module, attribute = entry_point.module, entry_point.attr
    except Exception:  # which one is not documented
        return Failure(said, "make it a module, or module:attribute")
    if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
        return Failure(f"{said}, but there is no module {error.name}", "install it anew")
    if isinstance(error, AttributeError) and error.name in (attribute or "").split("."):
        return Failure(f"{said}, but there is no {error.name} in it", "correct one of them")
    return None


def _where_it_is_lacking(error: BaseException) -> str:
    """The module that has not what was wanted of it; "" if the error is none of that kind."""
    if isinstance(error, ImportError):
        return error.name or ""
    if isinstance(error, AttributeError):
        if isinstance(error.obj, types.ModuleType):
            return error.obj.__name__
        return error.obj.__module__ if isinstance(error.obj, type) else ""
    return ""
