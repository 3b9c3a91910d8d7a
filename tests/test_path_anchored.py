"""A monitor is of a path, whatever comes to be there: ten times each, on every live backend.

Where watchers go deaf that watch the thing: what was there is removed, renamed away, switched or
replaced, it or a directory above.
"""

from __future__ import annotations

import pytest

from famcore.backend import Capability
from famcore.catalog import find_backends
from famcore.testing import Scenario
from famcore.testing.actions import (
    make,
    make_directory,
    make_link,
    remove,
    remove_directory,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import changed, created, deleted, in_any_order
from famcore.testing.scenario import IT, On, after

LIVE = [found for found in find_backends() if found.live]
TIMES = 10


def tree(top, below="s/b"):
    """A directory with one in it, that has a file."""
    directory, _, _ = below.rpartition("/")
    return make_directory(top), make_directory(f"{top}/{directory}"), write(f"{top}/{below}")


def gone(top, *names):
    return [*map(deleted, names), deleted(top)]


def come(top, *names):
    return [created(top), *map(created, names)]


def on_all(path):
    """Monitors on a path, and how each of them is called in what is told."""
    return {"plain": On(path), "deep": On(path, recursive=True)}


GONE = {"plain": gone("/d", "s"), "deep": gone("/d", "s/b", "s")}
COME = {"plain": come("/d", "s"), "deep": come("/d", "s", "s/b")}
BOTH = {name: GONE[name] + COME[name] for name in GONE}
HEARD = {"plain": [], "deep": [changed("s/b")]}


# --- the directory itself

DIRECTORY = (
    Scenario(
        name="the directory is removed, and made again with content at once",
        rule="… and comes back, by any way: created (full path), created for each entry",
        given=tree("d"),
        monitors=on_all("d"),
        steps=(
            after(remove_tree("d")).tells(**GONE),
            after(*tree("d")).tells(**COME),
            after(write("d/s/b")).tells(**HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory is removed and made again with content, all at once",
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=tree("d"),
        monitors=on_all("d"),
        steps=(
            after(remove_tree("d"), *tree("d")).tells(**BOTH),
            after(write("d/s/b")).tells(**HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory is renamed away, and another is put in its place",
        rule="the monitored directory itself goes … and comes back, by any way",
        given=(*tree("d"), *tree("new")),
        monitors=on_all("d"),
        steps=(
            after(rename("d", "away")).tells(**GONE),
            after(rename("new", "d")).tells(**COME),
            after(rename("away", "new"), write("new/s/b"), write("d/s/b")).tells(**HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory is renamed away and another is put in its place, at once",
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=(*tree("d"), *tree("new")),
        monitors=on_all("d"),
        steps=(
            after(rename("d", "away"), rename("new", "d")).tells(**BOTH),
            after(rename("away", "new"), write("new/s/b"), write("d/s/b")).tells(**HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory is replaced by a file, and that by a directory",
        rule="the monitored directory itself goes … and comes back, by any way",
        given=tree("d"),
        monitors=on_all("d"),
        steps=(
            after(remove_tree("d"), make("d")).tells(
                **{name: [*told, created("/d")] for name, told in GONE.items()}
            ),
            after(remove("d"), *tree("d")).tells(
                **{name: [deleted("/d"), *told] for name, told in COME.items()}
            ),
        )
        * TIMES,
    ),
)

# --- a file

SAVED = [created("new"), changed("new"), deleted("new"), changed("f", "new")]

FILE = (
    Scenario(
        name="a file is saved by way of a temporary one",
        rule="CREATED from a backend for a known name is changed",
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/f")),
        monitors={"file": On("d/f"), **on_all("d")},
        steps=(
            after(write("d/new"), rename("d/new", "d/f")).tells(
                file=[changed("/d/f")],
                plain=SAVED,
                deep=SAVED,
            ),
            after(write("d/f")).tells(
                file=[changed("/d/f")], plain=[changed("f")], deep=[changed("f")]
            ),
        )
        * TIMES,
    ),
    Scenario(
        name="a file is saved by way of an ignored one",
        rule="moved_from: None if old was ignored or outside",
        given=(make_directory("d"), write("d/f")),
        monitors={"file": On("d/f"), **on_all("d")},
        steps=(
            after(write("d/.f.swp"), rename("d/.f.swp", "d/f")).tells(
                file=[changed("/d/f")], plain=[changed("f")], deep=[changed("f")]
            ),
        )
        * TIMES,
    ),
    Scenario(
        name="a file is renamed away and another is put in its place, at once",
        rule="it goes: deleted; it appears: created",
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/f"), write("new")),
        monitors={"file": On("d/f"), "plain": On("d")},
        steps=(
            after(rename("d/f", "away"), rename("new", "d/f")).tells(
                file=[deleted("/d/f"), created("/d/f")], plain=[deleted("f"), created("f")]
            ),
            after(rename("away", "new"), write("new"), write("d/f")).tells(
                file=[changed("/d/f")], plain=[changed("f")]
            ),
        )
        * TIMES,
    ),
)

# --- a directory above

GIVEN = (make_directory("p"), *tree("p/d"))
MONITORS = {**on_all("p/d"), "file": On("p/d/s/b")}
FILE_GONE, FILE_COME = [deleted("/p/d/s/b")], [created("/p/d/s/b")]
ABOVE_GONE = {"plain": gone("/p/d", "s"), "deep": gone("/p/d", "s/b", "s"), "file": FILE_GONE}
ABOVE_COME = {"plain": come("/p/d", "s"), "deep": come("/p/d", "s", "s/b"), "file": FILE_COME}
ABOVE_BOTH = {name: ABOVE_GONE[name] + ABOVE_COME[name] for name in ABOVE_GONE}
ABOVE_HEARD = {**HEARD, "file": [changed("/p/d/s/b")]}

ABOVE = (
    Scenario(
        name="the directory above is renamed away and back",
        rule="the monitored directory itself goes … and comes back, by any way",
        given=GIVEN,
        monitors=MONITORS,
        steps=(
            after(rename("p", "away")).tells(**ABOVE_GONE),
            after(write("away/d/s/b")),
            after(rename("away", "p")).tells(**ABOVE_COME),
            after(write("p/d/s/b")).tells(**ABOVE_HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory above is renamed away and back at once",
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=GIVEN,
        monitors=MONITORS,
        steps=(
            after(rename("p", "away"), rename("away", "p")).tells(**ABOVE_BOTH),
            after(write("p/d/s/b")).tells(**ABOVE_HEARD),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory above is renamed away, and another is put in its place",
        rule="the monitored directory itself goes … and comes back, by any way",
        given=GIVEN,
        monitors=MONITORS,
        steps=(
            after(make_directory("new"), *tree("new/d")),
            after(rename("p", "away")).tells(**ABOVE_GONE),
            after(rename("new", "p")).tells(**ABOVE_COME),
            after(write("away/d/s/b"), write("p/d/s/b")).tells(**ABOVE_HEARD),
            after(remove_tree("away")),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory above is renamed away and another is put in its place, at once",
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=GIVEN,
        monitors=MONITORS,
        steps=(
            after(make_directory("new"), *tree("new/d")),
            after(rename("p", "away"), rename("new", "p")).tells(**ABOVE_BOTH),
            after(write("away/d/s/b"), write("p/d/s/b")).tells(**ABOVE_HEARD),
            after(remove_tree("away")),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory above is removed and made again with content, all at once",
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=GIVEN,
        monitors=MONITORS,
        steps=(
            after(remove_tree("p"), make_directory("p"), *tree("p/d")).tells(**ABOVE_BOTH),
            after(write("p/d/s/b")).tells(**ABOVE_HEARD),
        )
        * TIMES,
    ),
)

# --- links

_SWITCHED = (
    "a symbolic link in the monitored path is switched: by name deleted and created, changed for"
    " each common one, then changed (full path); every time"
)


def publish(number):
    """As Kubernetes' atomic writer does: the last version is removed at once."""
    return (
        make_directory(f"v/..{number}"),
        write(f"v/..{number}/key"),
        write(f"v/..{number}/of {number}"),
        make_link("v/..data_tmp", f"..{number}"),
        rename("v/..data_tmp", "v/..data"),
        remove_tree(f"v/..{number - 1}"),
    )


def published(old, new):
    volume = [
        created(f"..{new}"),
        created("..data_tmp"),
        deleted("..data_tmp"),
        changed("..data", "..data_tmp"),
    ]
    below = [created(f"..{new}/key"), created(f"..{new}/of {new}")]
    ended = [deleted(f"..{old}/key"), deleted(f"..{old}/of {old}"), deleted(f"..{old}")]
    return after(*publish(new)).tells(
        volume=[*volume, ended[-1]],
        deep=[in_any_order(*volume, *below, *ended)],
        data=[
            deleted(f"of {old}"),
            in_any_order(created(f"of {new}"), changed("key")),
            changed("/v/..data"),
        ],
        key=[changed("/v/key")],
        through=[changed("/v/..data/key")],
    )


def release(number):
    name = f"release-{number}"
    return *tree(name, "etc/conf"), make(f"{name}/v{number}"), make_link("new", name)


def released(old, new):
    return after(*release(new), rename("new", "current")).tells(
        plain=[
            deleted(f"v{old}"),
            in_any_order(created(f"v{new}"), changed("etc")),
            changed("/current"),
        ],
        deep=[
            deleted(f"v{old}"),
            in_any_order(created(f"v{new}"), changed("etc"), changed("etc/conf")),
            changed("/current"),
        ],
        below=[changed("conf"), changed("/current/etc")],
        file=[changed("/current/etc/conf")],
    )


LINKS = (
    Scenario(
        name="a ConfigMap is published, the last one removed at once",
        rule=_SWITCHED,
        needs=Capability.EACH,
        given=(
            *(make_directory("v"), make_directory("v/..0"), write("v/..0/key")),
            *(write("v/..0/of 0"), make_link("v/..data", "..0"), make_link("v/key", "..data/key")),
        ),
        monitors={
            "volume": On("v"),
            "deep": On("v", recursive=True),
            "data": On("v/..data"),
            "key": On("v/key"),
            "through": On("v/..data/key"),
        },
        steps=tuple(published(number, number + 1) for number in range(TIMES)),
    ),
    Scenario(
        name="the link to the current release is switched",
        rule=_SWITCHED,
        given=(*release(0), rename("new", "current")),
        monitors={
            **on_all("current"),
            "below": On("current/etc"),
            "file": On("current/etc/conf"),
        },
        steps=tuple(
            step
            for number in range(TIMES)
            for step in (
                released(number, number + 1),
                after(write(f"release-{number}/etc/conf")),
                after(write(f"release-{number + 1}/etc/conf")).tells(
                    deep=[changed("etc/conf")],
                    below=[changed("conf")],
                    file=[changed("/current/etc/conf")],
                ),
            )
        ),
    ),
)

# --- nothing there at first

MISSING = (
    Scenario(
        name="a path where there is nothing yet has a directory with content at once, and again",
        rule="endExist; created (full path) when it appears, then its entries' created",
        monitors=on_all("d"),
        steps=(
            after(*tree("d")).tells(**COME),
            after(write("d/s/b")).tells(**HEARD),
            after(remove_tree("d")).tells(**GONE),
        )
        * TIMES,
    ),
    Scenario(
        name="a path where there is nothing yet has a file, and again",
        rule="endExist; created (full path) when it appears",
        given=(make_directory("p"),),
        monitors={IT: On("p/f")},
        steps=(
            after(make("p/f")).tells(created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
            after(remove("p/f")).tells(deleted("/p/f")),
            after(write("new"), rename("new", "p/f")).tells(created("/p/f")),
            after(rename("p/f", "new")).tells(deleted("/p/f")),
        )
        * TIMES,
    ),
    Scenario(
        name="the directory of a path where there is nothing yet goes, and comes with content",
        rule="endExist; created (full path) when it appears, then its entries' created",
        given=(make_directory("p"),),
        monitors=on_all("p/d"),
        steps=(
            after(remove_directory("p")),
            after(make_directory("p"), *tree("p/d")).tells(
                plain=come("/p/d", "s"), deep=come("/p/d", "s", "s/b")
            ),
            after(write("p/d/s/b")).tells(**HEARD),
            after(remove_tree("p/d")).tells(plain=gone("/p/d", "s"), deep=gone("/p/d", "s/b", "s")),
        )
        * TIMES,
    ),
    Scenario(
        name="a path where there is nothing yet has a link to a directory, and again",
        rule="endExist; created (full path) when it appears, then its entries' created",
        given=tree("there"),
        monitors=on_all("d"),
        steps=(
            after(make_link("d", "there")).tells(**COME),
            after(write("there/s/b")).tells(**HEARD),
            after(remove("d")).tells(**GONE),
            after(write("there/s/b")),
        )
        * TIMES,
    ),
)

ALL = (*DIRECTORY, *FILE, *ABOVE, *LINKS, *MISSING)


@pytest.mark.parametrize("scenario", ALL, ids=str)
@pytest.mark.parametrize("backend", LIVE, ids=lambda found: found.name)
def test_ten_times(backend, scenario, side_by_side):
    if backend.backend is None:
        pytest.skip(str(backend))
    side_by_side(scenario, backend.backend)
