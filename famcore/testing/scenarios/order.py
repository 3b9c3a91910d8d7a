"""The order between the events of several monitors."""

from __future__ import annotations

from famcore.testing.actions import (
    make,
    make_directory,
    remove,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import created, deleted
from famcore.testing.scenario import On, Scenario, after

_ORDER = (
    "what appears: the monitor on its parent first; what goes: its own monitor first; all monitors'"
    " events form one sequence"
)
_FILE_AND_DIRECTORY = {"directory": On("d"), "file": On("d/f")}
_PARENT_AND_OWN = {"parent": On("d"), "own": On("d/s")}

SCENARIOS = (
    Scenario(
        name="a monitored file goes and comes in a monitored directory",
        rule=_ORDER,
        given=(make_directory("d"), write("d/f")),
        monitors=_FILE_AND_DIRECTORY,
        steps=(
            after(remove("d/f"))
            .tells(directory=[deleted("f")], file=[deleted("/d/f")])
            .in_order(("file", deleted("/d/f")), ("directory", deleted("f"))),
            after(make("d/f"))
            .tells(directory=[created("f")], file=[created("/d/f")])
            .in_order(("directory", created("f")), ("file", created("/d/f"))),
            after(rename("d/f", "d/g"))
            .tells(directory=[deleted("f"), created("g", "f")], file=[deleted("/d/f")])
            .in_order(("file", deleted("/d/f")), ("directory", deleted("f"))),
            after(rename("d/g", "d/f"))
            .tells(directory=[deleted("g"), created("f", "g")], file=[created("/d/f")])
            .in_order(("directory", created("f")), ("file", created("/d/f"))),
        )
        * 2,
    ),
    Scenario(
        name="a monitored directory goes and comes in a monitored directory",
        rule=_ORDER,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(remove_tree("d/s"))
            .tells(parent=[deleted("s")], own=[deleted("a"), deleted("/d/s")])
            .in_order(("own", deleted("/d/s")), ("parent", deleted("s"))),
            after(make_directory("d/s"), make("d/s/a"))
            .tells(parent=[created("s")], own=[created("/d/s"), created("a")])
            .in_order(("parent", created("s")), ("own", created("/d/s"))),
            after(rename("d/s", "away"))
            .tells(parent=[deleted("s")], own=[deleted("a"), deleted("/d/s")])
            .in_order(("own", deleted("/d/s")), ("parent", deleted("s"))),
            after(rename("away", "d/s"))
            .tells(parent=[created("s")], own=[created("/d/s"), created("a")])
            .in_order(("parent", created("s")), ("own", created("/d/s"))),
        )
        * 2,
    ),
    Scenario(
        name="both of two monitored directories, one in the other, go and come",
        rule=_ORDER,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(rename("d", "away"))
            .tells(parent=[deleted("s"), deleted("/d")], own=[deleted("a"), deleted("/d/s")])
            .in_order(("own", deleted("/d/s")), ("parent", deleted("s"))),
            after(rename("away", "d"))
            .tells(parent=[created("/d"), created("s")], own=[created("/d/s"), created("a")])
            .in_order(("parent", created("s")), ("own", created("/d/s"))),
        ),
    ),
)
