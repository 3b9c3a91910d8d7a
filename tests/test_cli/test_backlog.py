"""What the next runs of `fam run` are to be told, and in which order."""

from __future__ import annotations

from famcore.cli.run.backlog import Backlog
from famcore.cli.run.batch import Batch
from famcore.cli.settle import Patience
from famcore.events import Event, EventCode, Monitor, make_event

MONITOR = Monitor(7, "/spot", None, recursive=True)


def changed(*names: str) -> list[Event]:
    return [make_event(MONITOR, name, EventCode.CHANGED, False) for name in names]


def batch(*names: str) -> Batch:
    made = Batch()
    made.add(changed(*names), 1.0)
    return made


def one_each(whole: Batch) -> list[Batch]:
    return whole.split(0)


def together(whole: Batch) -> list[Batch]:
    return [whole]


def test_parts_that_are_left_are_no_reason_to_disturb_a_run() -> None:
    backlog = Backlog(Patience(1.0, 10.0))
    backlog.add(changed("a", "b"), 100.0)
    backlog.take(one_each)
    assert backlog.rests_at() is None
    backlog.add(changed("c"), 200.0)
    assert backlog.rests_at() == 201.0


def test_what_a_run_has_not_done_is_told_after_the_parts_and_before_what_came_since() -> None:
    backlog = Backlog(Patience(1.0, 10.0))
    backlog.add(changed("a", "b"), 100.0)
    assert backlog.take(one_each).paths() == ["/spot/a"]
    backlog.add(changed("d"), 200.0)
    backlog.owe(batch("c"))
    backlog.wait_no_longer()
    assert backlog.take(one_each).paths() == ["/spot/b"]
    due_at = backlog.due_at()
    assert due_at is not None
    assert due_at <= 200.0
    assert backlog.take(together).paths() == ["/spot/c", "/spot/d"]
    assert backlog.due_at() is None


def test_a_part_that_was_not_done_is_told_with_those_that_are_left() -> None:
    backlog = Backlog(Patience(1.0, 10.0))
    backlog.add(changed("a", "b", "c"), 100.0)
    backlog.take(one_each)
    backlog.owe_with_parts(backlog.take(one_each))
    assert backlog.take(together).paths() == ["/spot/b", "/spot/c"]
