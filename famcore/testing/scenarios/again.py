"""A monitor is of a path, whatever comes to be there: the same thing ten times over.

Where watchers go deaf that watch the thing: what was there is removed, renamed away, switched or
replaced, it or a directory above.
"""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    Action,
    make,
    make_directory,
    make_link,
    remove,
    remove_directory,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import Told, changed, created, deleted, in_any_order
from famcore.testing.scenario import IT, On, Scenario, Step, after

#: Each has so many rounds, of equally many steps.
_TIMES = 10


def _tree(top: str, below: str = "s/b") -> tuple[Action, ...]:
    """A directory with one in it, that has a file."""
    directory, _, _ = below.rpartition("/")
    return make_directory(top), make_directory(f"{top}/{directory}"), write(f"{top}/{below}")


def _gone(top: str, *names: str) -> list[Told]:
    return [*map(deleted, names), deleted(top)]


def _come(top: str, *names: str) -> list[Told]:
    return [created(top), *map(created, names)]


def _on_all(path: str) -> dict[str, On]:
    """Monitors on a path, and how each of them is called in what is told."""
    return {"plain": On(path), "deep": On(path, recursive=True)}


_GONE = {"plain": _gone("/d", "s"), "deep": _gone("/d", "s/b", "s")}
_COME = {"plain": _come("/d", "s"), "deep": _come("/d", "s", "s/b")}
_BOTH = {name: _GONE[name] + _COME[name] for name in _GONE}
_HEARD: dict[str, list[Told]] = {"plain": [], "deep": [changed("s/b")]}


# --- the directory itself

_DIRECTORY = (
    Scenario(
        name="the directory is removed, and made again with content at once",
        rounds=_TIMES,
        rule="… and comes back, by any way: created (full path), created for each entry",
        given=_tree("d"),
        monitors=_on_all("d"),
        steps=(
            after(remove_tree("d")).tells(**_GONE),
            after(*_tree("d")).tells(**_COME),
            after(write("d/s/b")).tells(**_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory is removed and made again with content, all at once",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=_tree("d"),
        monitors=_on_all("d"),
        steps=(
            after(remove_tree("d"), *_tree("d")).tells(**_BOTH),
            after(write("d/s/b")).tells(**_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory is renamed away, and another is put in its place",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        given=(*_tree("d"), *_tree("new")),
        monitors=_on_all("d"),
        steps=(
            after(rename("d", "away")).tells(**_GONE),
            after(rename("new", "d")).tells(**_COME),
            after(rename("away", "new"), write("new/s/b"), write("d/s/b")).tells(**_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory is renamed away and another is put in its place, at once",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=(*_tree("d"), *_tree("new")),
        monitors=_on_all("d"),
        steps=(
            after(rename("d", "away"), rename("new", "d")).tells(**_BOTH),
            after(rename("away", "new"), write("new/s/b"), write("d/s/b")).tells(**_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory is replaced by a file, and that by a directory, time after time",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        given=_tree("d"),
        monitors=_on_all("d"),
        steps=(
            after(remove_tree("d"), make("d")).tells(
                **{name: [*told, created("/d")] for name, told in _GONE.items()}
            ),
            after(remove("d"), *_tree("d")).tells(
                **{name: [deleted("/d"), *told] for name, told in _COME.items()}
            ),
        )
        * _TIMES,
    ),
)

# --- a file

_SAVED = [created("new"), changed("new"), deleted("new"), changed("f", "new")]

_FILE = (
    Scenario(
        name="a file is saved by way of a temporary one",
        rounds=_TIMES,
        rule="CREATED from a backend for a known name is changed",
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/f")),
        monitors={"file": On("d/f"), **_on_all("d")},
        steps=(
            after(write("d/new"), rename("d/new", "d/f")).tells(
                file=[changed("/d/f")],
                plain=_SAVED,
                deep=_SAVED,
            ),
            after(write("d/f")).tells(
                file=[changed("/d/f")], plain=[changed("f")], deep=[changed("f")]
            ),
        )
        * _TIMES,
    ),
    Scenario(
        name="a file is saved by way of an ignored one",
        rounds=_TIMES,
        rule="moved_from: None if old was ignored or outside",
        given=(make_directory("d"), write("d/f")),
        monitors={"file": On("d/f"), **_on_all("d")},
        steps=(
            after(write("d/.f.swp"), rename("d/.f.swp", "d/f")).tells(
                file=[changed("/d/f")], plain=[changed("f")], deep=[changed("f")]
            ),
        )
        * _TIMES,
    ),
    Scenario(
        name="a file is renamed away and another is put in its place, at once",
        rounds=_TIMES,
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
        * _TIMES,
    ),
)

# --- a directory above

_GIVEN = (make_directory("p"), *_tree("p/d"))
_MONITORS = {**_on_all("p/d"), "file": On("p/d/s/b")}
_FILE_GONE, _FILE_COME = [deleted("/p/d/s/b")], [created("/p/d/s/b")]
_ABOVE_GONE = {"plain": _gone("/p/d", "s"), "deep": _gone("/p/d", "s/b", "s"), "file": _FILE_GONE}
_ABOVE_COME = {"plain": _come("/p/d", "s"), "deep": _come("/p/d", "s", "s/b"), "file": _FILE_COME}
_ABOVE_BOTH = {name: _ABOVE_GONE[name] + _ABOVE_COME[name] for name in _ABOVE_GONE}
_ABOVE_HEARD = {**_HEARD, "file": [changed("/p/d/s/b")]}

_ABOVE = (
    Scenario(
        name="the directory above is renamed away and back",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        given=_GIVEN,
        monitors=_MONITORS,
        steps=(
            after(rename("p", "away")).tells(**_ABOVE_GONE),
            after(write("away/d/s/b")),
            after(rename("away", "p")).tells(**_ABOVE_COME),
            after(write("p/d/s/b")).tells(**_ABOVE_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory above is renamed away and back at once",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=_GIVEN,
        monitors=_MONITORS,
        steps=(
            after(rename("p", "away"), rename("away", "p")).tells(**_ABOVE_BOTH),
            after(write("p/d/s/b")).tells(**_ABOVE_HEARD),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory above is renamed away, and another is put in its place",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        given=_GIVEN,
        monitors=_MONITORS,
        steps=(
            after(make_directory("new"), *_tree("new/d")),
            after(rename("p", "away")).tells(**_ABOVE_GONE),
            after(rename("new", "p")).tells(**_ABOVE_COME),
            after(write("away/d/s/b"), write("p/d/s/b")).tells(**_ABOVE_HEARD),
            after(remove_tree("away")),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory above is renamed away and another is put in its place, at once",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=_GIVEN,
        monitors=_MONITORS,
        steps=(
            after(make_directory("new"), *_tree("new/d")),
            after(rename("p", "away"), rename("new", "p")).tells(**_ABOVE_BOTH),
            after(write("away/d/s/b"), write("p/d/s/b")).tells(**_ABOVE_HEARD),
            after(remove_tree("away")),
        )
        * _TIMES,
    ),
    Scenario(
        name="the directory above is removed and made again with content, all at once",
        rounds=_TIMES,
        rule="the monitored directory itself goes … and comes back, by any way",
        needs=Capability.EACH,
        given=_GIVEN,
        monitors=_MONITORS,
        steps=(
            after(remove_tree("p"), make_directory("p"), *_tree("p/d")).tells(**_ABOVE_BOTH),
            after(write("p/d/s/b")).tells(**_ABOVE_HEARD),
        )
        * _TIMES,
    ),
)

# --- links

_SWITCHED = (
    "a symbolic link in the monitored path is switched: by name deleted and created, changed for"
    " each common one, then changed (full path); every time"
)


def _publish(number: int) -> tuple[Action, ...]:
    """As Kubernetes' atomic writer does: the last version is removed at once."""
    return (
        make_directory(f"v/..{number}"),
        write(f"v/..{number}/key"),
        write(f"v/..{number}/of {number}"),
        make_link("v/..data_tmp", f"..{number}"),
        rename("v/..data_tmp", "v/..data"),
        remove_tree(f"v/..{number - 1}"),
    )


def _published(old: int, new: int) -> Step:
    volume = [
        created(f"..{new}"),
        created("..data_tmp"),
        deleted("..data_tmp"),
        changed("..data", "..data_tmp"),
    ]
    below = [created(f"..{new}/key"), created(f"..{new}/of {new}")]
    ended = [deleted(f"..{old}/key"), deleted(f"..{old}/of {old}"), deleted(f"..{old}")]
    return after(*_publish(new)).tells(
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


def _release(number: int) -> tuple[Action, ...]:
    name = f"release-{number}"
    return *_tree(name, "etc/conf"), make(f"{name}/v{number}"), make_link("new", name)


def _released(old: int, new: int) -> Step:
    return after(*_release(new), rename("new", "current")).tells(
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


_LINKS = (
    Scenario(
        name="a ConfigMap is published, the last one removed at once",
        rounds=_TIMES,
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
        steps=tuple(_published(number, number + 1) for number in range(_TIMES)),
    ),
    Scenario(
        name="the link to the current release is switched",
        rounds=_TIMES,
        rule=_SWITCHED,
        given=(*_release(0), rename("new", "current")),
        monitors={
            **_on_all("current"),
            "below": On("current/etc"),
            "file": On("current/etc/conf"),
        },
        steps=tuple(
            step
            for number in range(_TIMES)
            for step in (
                _released(number, number + 1),
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

_MISSING = (
    Scenario(
        name="a path where there is nothing yet has a directory with content at once, and again",
        rounds=_TIMES,
        rule="endExist; created (full path) when it appears, then its entries' created",
        monitors=_on_all("d"),
        steps=(
            after(*_tree("d")).tells(**_COME),
            after(write("d/s/b")).tells(**_HEARD),
            after(remove_tree("d")).tells(**_GONE),
        )
        * _TIMES,
    ),
    Scenario(
        name="a path where there is nothing yet has a file, and again",
        rounds=_TIMES,
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
        * _TIMES,
    ),
    Scenario(
        name="the directory of a path where there is nothing yet goes, and comes with content",
        rounds=_TIMES,
        rule="endExist; created (full path) when it appears, then its entries' created",
        given=(make_directory("p"),),
        monitors=_on_all("p/d"),
        steps=(
            after(remove_directory("p")),
            after(make_directory("p"), *_tree("p/d")).tells(
                plain=_come("/p/d", "s"), deep=_come("/p/d", "s", "s/b")
            ),
            after(write("p/d/s/b")).tells(**_HEARD),
            after(remove_tree("p/d")).tells(
                plain=_gone("/p/d", "s"), deep=_gone("/p/d", "s/b", "s")
            ),
        )
        * _TIMES,
    ),
    Scenario(
        name="a path where there is nothing yet has a link to a directory, and again",
        rounds=_TIMES,
        rule="endExist; created (full path) when it appears, then its entries' created",
        given=_tree("there"),
        monitors=_on_all("d"),
        steps=(
            after(make_link("d", "there")).tells(**_COME),
            after(write("there/s/b")).tells(**_HEARD),
            after(remove("d")).tells(**_GONE),
            after(write("there/s/b")),
        )
        * _TIMES,
    ),
)

SCENARIOS = (*_DIRECTORY, *_FILE, *_ABOVE, *_LINKS, *_MISSING)
