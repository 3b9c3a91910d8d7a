"""What the words given to options may be, and what they come to."""

from __future__ import annotations

import math
import signal as signals

import click

from famcore.cli.lines import Lines, formatted, suggest
from famcore.events import EventCode
from famcore.plugins.hooks import did_you_mean


def codes(value: str) -> frozenset[EventCode]:
    """`created,deleted`: event codes."""
    words = value.split(",")
    for word in words:
        if word not in list(EventCode):
            raise click.BadParameter(f"unknown code {word!r}{suggest(word, EventCode)}")
    return frozenset(map(EventCode, words))


def template(value: str) -> Lines:
    """What `--format` writes."""
    try:
        return formatted(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def consumer(value: str) -> tuple[str, dict[str, str]]:
    """`NAME` or `NAME:KEY=VALUE,...`: a consumer plugin and its options."""
    name, colon, rest = value.partition(":")
    options = {}
    for part in rest.split(",") if colon else ():
        key, equals, setting = part.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{value!r}: an option is KEY=VALUE, not {part!r}")
        options[key] = setting
    if not name:
        raise click.BadParameter(f"{value!r} names no consumer")
    return name, options


def glob(value: str) -> str:
    """A pattern that a name may match: they are relative, and none ends with a slash."""
    if not value:
        raise click.BadParameter("a pattern is empty")
    if value.endswith("/"):
        raise click.BadParameter(
            f"no name ends with a slash as {value!r}: give {value.rstrip('/')!r}"
        )
    if value.startswith("/"):
        raise click.BadParameter(f"names are relative to PATH, not as {value!r}")
    return value


def seconds(value: str) -> float:
    """A number of seconds, finite and not negative."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{value!r} is not a number of seconds")
    return number


def signal(value: str) -> int:
    """`TERM`, `SIGTERM` or `15`: a signal's number."""
    names = {number.name.removeprefix("SIG"): int(number) for number in signals.Signals}
    name = value.upper().removeprefix("SIG")
    if name in names:
        return names[name]
    if value.isdecimal() and int(value) in signals.valid_signals():
        return int(value)
    raise click.BadParameter(f"unknown signal {value!r}{did_you_mean(name, list(names))}")


def path(value: str) -> str:
    """A path as it was given, names that are not UTF-8 too."""
    if not value:
        raise click.BadParameter("a path is empty")
    return value
