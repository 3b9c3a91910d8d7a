"""Entries of a monitored directory that are replaced, and links in it."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    change_mode,
    make,
    make_directory,
    make_link,
    remove,
    remove_directory,
    rename,
    write,
)
from famcore.testing.expected import changed, created, deleted, nothing
from famcore.testing.scenario import Scenario, after

_RENAMED_OVER = "CREATED from a backend for a known name is changed"
_KIND = "a known entry is replaced by one of another kind (file, directory): deleted, created"
_TARGET = "the target of a link in a monitored directory changes: nothing"
_LINK = "the link itself replaced: changed"

SCENARIOS = (
    Scenario(
        name="a file is replaced by one from outside, time after time",
        rounds=10,
        rule=_RENAMED_OVER,
        given=(make_directory("d"), write("d/a"), make("d/b")),
        steps=(after(write("new"), rename("new", "d/a")).tells(changed("a")),) * 10,
    ),
    Scenario(
        name="the file that replaced another goes on being told of",
        rule=_RENAMED_OVER,
        given=(make_directory("d"), write("d/a"), write("new")),
        steps=(
            after(rename("new", "d/a")).tells(changed("a")),
            after(write("d/a")).tells(changed("a")),
            after(remove("d/a")).tells(deleted("a")),
        ),
    ),
    Scenario(
        name="a file is replaced by a directory",
        rule=_KIND,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(remove("d/a"), make_directory("d/a")).tells(deleted("a"), created("a")),
            after(make("d/a/below")),
        ),
    ),
    Scenario(
        name="a directory is replaced by a file",
        rule=_KIND,
        given=(make_directory("d"), make_directory("d/a")),
        steps=(
            after(remove_directory("d/a"), make("d/a")).tells(deleted("a"), created("a")),
            after(write("d/a")).tells(changed("a")),
        ),
    ),
    Scenario(
        name="a file is replaced by a directory that is renamed in",
        rule=_KIND,
        given=(make_directory("d"), write("d/a"), make_directory("out"), make("out/below")),
        steps=(after(remove("d/a"), rename("out", "d/a")).tells(deleted("a"), created("a")),),
    ),
    Scenario(
        name="an empty directory is replaced by another that is renamed over it",
        rule=_RENAMED_OVER,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make_directory("out"), make("out/a")),
        steps=(
            after(rename("out", "d/s")).tells(changed("s")),
            after(make("d/s/b")),
            after(change_mode("d/s", 0o700)).tells(changed("s")),
        ),
    ),
    Scenario(
        name="the file that a link leads to changes outside",
        rule=_TARGET,
        given=(make_directory("d"), write("out"), make_link("d/l", "../out")),
        steps=(
            after(write("out"), change_mode("out", 0o600)).tells(nothing()),
            after(remove("out")).tells(nothing()),
            after(make("out")).tells(nothing()),
        ),
    ),
    Scenario(
        name="the directory that a link leads to changes outside",
        rule=_TARGET,
        given=(make_directory("d"), make_directory("out"), make_link("d/l", "../out")),
        steps=(
            after(make("out/a"), change_mode("out", 0o700)).tells(nothing()),
            after(rename("out", "away")).tells(nothing()),
            after(make_directory("out")).tells(nothing()),
        ),
    ),
    Scenario(
        name="a link that is written through tells of the file alone",
        rule=_TARGET,
        given=(make_directory("d"), write("d/a"), make_link("d/l", "a")),
        steps=(after(write("d/l")).tells(changed("a")),),
    ),
    Scenario(
        name="a link is replaced by another from outside, time after time",
        rounds=10,
        rule=_LINK,
        given=(make_directory("d"), make_link("d/l", "one")),
        steps=(after(make_link("new", "other"), rename("new", "d/l")).tells(changed("l")),) * 10,
    ),
    Scenario(
        name="a link to a file is replaced by one to a directory",
        rule=_LINK,
        given=(make_directory("d"), make("d/a"), make_directory("d/s"), make_link("d/l", "a")),
        steps=(after(make_link("new", "s"), rename("new", "d/l")).tells(changed("l")),),
    ),
)
