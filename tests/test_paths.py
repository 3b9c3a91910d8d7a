"""What may be asked of `add_monitor`: paths in every spelling, handlers, request IDs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from famcore import DEFAULT_IGNORE, FamError, FileMonitor
from famcore.ignore import compile_patterns, should_ignore

IGNORED = compile_patterns(DEFAULT_IGNORE)


@pytest.fixture
def fam():
    with FileMonitor("pseudo") as fam:
        yield fam


@pytest.fixture
def told(fam):
    """Set a monitor, and return what it is told."""

    def told(path):
        events = []
        fam.add_monitor(path, events.append)
        fam.handle_events()
        return [(str(event.action), event.filename, event.path) for event in events]

    return told


def whole(path, *names):
    return [
        ("exists", path, path),
        *(("exists", name, f"{path}/{name}") for name in names),
        ("endExist", path, path),
    ]


@pytest.fixture
def spot(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").touch()
    return tmp_path


# --- spelling


class Spelled:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize(
    "kind", [str, os.fsencode, Path, Spelled, lambda p: Spelled(os.fsencode(p))]
)
def test_a_path_is_a_string_bytes_or_path_like(kind, told, spot):
    path = f"{spot}/d"
    assert told(kind(path)) == whole(path, "a")


@pytest.mark.parametrize("wrong", [None, 3, 3.5, ["/tmp"], object()])
def test_anything_else_is_no_path(wrong, fam):
    with pytest.raises(TypeError):
        fam.add_monitor(wrong)
    assert fam.handles == {}


@pytest.mark.parametrize("kind", [str, os.fsencode, Path, Spelled])
def test_a_relative_path_is_of_the_working_directory_of_the_moment(kind, fam, spot, monkeypatch):
    monkeypatch.chdir(spot)
    events = []
    fam.add_monitor(kind("d"), events.append)
    monkeypatch.chdir("/")
    fam.handle_events()
    assert {event.path for event in events} == {f"{spot}/d", f"{spot}/d/a"}


def test_a_relative_path_set_before_the_start_is_of_that_moment_too(spot, monkeypatch):
    events = []
    monkeypatch.chdir(spot)
    fam = FileMonitor("pseudo")
    fam.add_monitor("d", events.append)
    monkeypatch.chdir("/")
    with fam:
        fam.handle_events()
    assert {event.path for event in events} == {f"{spot}/d", f"{spot}/d/a"}


@pytest.mark.parametrize("dots", [".", "./", "d/..", "d/../"])
def test_dots_of_a_relative_path_are_kept(dots, told, spot, monkeypatch):
    monkeypatch.chdir(spot)
    path = f"{spot}/{dots.rstrip('/')}"
    assert told(dots) == whole(path, "d")


@pytest.mark.parametrize("slashes", ["/", "//", "/////"])
def test_trailing_slashes_are_removed(slashes, told, spot):
    assert told(f"{spot}/d{slashes}") == whole(f"{spot}/d", "a")


@pytest.mark.parametrize("spelled", ["d/../d", "./d", "d/.", ".//d", "d/./../d", "l", "l/../d"])
def test_all_else_is_kept_as_spelled(spelled, told, spot):
    (spot / "l").symlink_to("d")
    path = f"{spot}/{spelled}"
    assert told(path) == whole(path, "a")


def test_dots_after_a_link_lead_to_where_the_kernel_goes(told, spot):
    (spot / "far/off").mkdir(parents=True)
    (spot / "far/b").touch()
    (spot / "l").symlink_to("far/off")
    path = f"{spot}/l/.."
    assert sorted(told(path)) == sorted(whole(path, "b", "off"))


@pytest.mark.parametrize("root", ["/", "//", "/."])
def test_the_root_directory(root, told):
    path = "/." if root == "/." else "/"
    names = os.listdir("/")
    said = told(root)
    assert said[0] == ("exists", path, path)
    assert said[-1] == ("endExist", path, path)
    entries = {(filename, full) for _, filename, full in said[1:-1]}
    start = "/./" if root == "/." else "/"
    assert entries == {(name, start + name) for name in names if not should_ignore(IGNORED, name)}


@pytest.mark.parametrize("empty", ["", b"", Spelled("")])
def test_an_empty_path_is_refused(empty, fam):
    with pytest.raises(ValueError, match="empty"):
        fam.add_monitor(empty)
    assert fam.handles == {}


@pytest.mark.parametrize("path", ["/tmp\0", b"/tmp\0/a", "\0", Spelled("/\0")])
def test_a_path_with_a_nul_is_refused(path, fam):
    with pytest.raises(ValueError, match="NUL"):
        fam.add_monitor(path)
    assert fam.handles == {}


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", "caf\u00e9".encode(), b"two\nlines"])
@pytest.mark.parametrize("kind", [os.fsdecode, os.fsencode])
def test_a_path_need_not_be_utf8(kind, name, told, spot):
    path = os.path.join(os.fsencode(spot), name)
    os.mkdir(path)
    os.mkdir(os.path.join(path, name))
    assert told(kind(path)) == whole(os.fsdecode(path), os.fsdecode(name))


# --- what is not there


@pytest.mark.parametrize("started", [False, True])
def test_a_path_whose_directory_is_missing_is_refused(started, tmp_path):
    fam = FileMonitor("pseudo")
    if started:
        fam.start()
    path = str(tmp_path / "missing/file")
    with pytest.raises(FileNotFoundError) as refused:
        fam.add_monitor(path)
    assert refused.value.filename == str(tmp_path / "missing")
    (note,) = refused.value.__notes__
    assert repr(path) in note
    assert fam.handles == {}
    assert fam.handle_events() == 0
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing/file").touch()
    assert fam.handle_events() == 0
    fam.shutdown()


def test_a_refused_path_uses_up_no_request_id(fam, tmp_path):
    with pytest.raises(FileNotFoundError):
        fam.add_monitor(tmp_path / "missing/file", request_id=5)
    assert fam.add_monitor(tmp_path, request_id=5) == 5


def test_a_path_below_a_file_is_refused(fam, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as refused:
        fam.add_monitor(tmp_path / "file/below")
    assert refused.value.filename == str(tmp_path / "file")
    assert fam.handles == {}


def test_a_link_that_leads_nowhere_is_a_missing_path(told, tmp_path):
    (tmp_path / "l").symlink_to("missing")
    path = f"{tmp_path}/l"
    assert told(path) == [("endExist", path, path)]


def test_a_link_whose_targets_directory_is_missing_is_a_missing_path_too(told, tmp_path):
    (tmp_path / "l").symlink_to("missing/far")
    path = f"{tmp_path}/l"
    assert told(path) == [("endExist", path, path)]


def test_a_link_that_leads_to_itself_is_a_missing_path(told, tmp_path):
    (tmp_path / "l").symlink_to("l")
    path = f"{tmp_path}/l"
    assert told(path) == [("endExist", path, path)]


def test_a_path_in_a_directory_that_goes_before_the_start_is_a_missing_path(tmp_path):
    (tmp_path / "p").mkdir()
    events = []
    fam = FileMonitor("pseudo")
    fam.add_monitor(tmp_path / "p/d", events.append)
    (tmp_path / "p").rmdir()
    with fam:
        fam.handle_events()
    assert [str(event.action) for event in events] == ["endExist"]


# --- handlers


@pytest.mark.parametrize("wrong", [5, "print", [], object()])
def test_a_handler_that_can_not_be_called_is_refused(wrong, fam, tmp_path):
    with pytest.raises(TypeError, match="HandleEvent"):
        fam.add_monitor(tmp_path, wrong)
    assert fam.handles == {}


class ToBeAwaited:
    async def HandleEvent(self, event):
        raise NotImplementedError


@pytest.mark.parametrize("wrong", [ToBeAwaited().HandleEvent, ToBeAwaited()])
@pytest.mark.parametrize("add", [FileMonitor.add_monitor, FileMonitor.AddMonitor])
def test_a_handler_that_is_to_be_awaited_is_refused(add, wrong, fam, tmp_path):
    with pytest.raises(TypeError, match="coroutine function"):
        add(fam, tmp_path, wrong)
    assert fam.handles == {}


def test_handles_are_request_ids_and_handlers(fam, tmp_path):
    first = fam.add_monitor(tmp_path, print)
    second = fam.add_monitor(tmp_path)
    assert fam.handles == {first: print, second: None}
    fam.remove_monitor(first)
    assert fam.handles == {second: None}


def test_arguments_but_path_and_handler_are_given_by_name(fam, tmp_path):
    with pytest.raises(TypeError):
        fam.add_monitor(tmp_path, None, True)


# --- request IDs


def test_request_ids_are_numbers_none_of_which_is_used_twice(fam, tmp_path):
    given = [fam.add_monitor(tmp_path) for _ in range(5)]
    for number in given:
        fam.remove_monitor(number)
    given += [fam.add_monitor(tmp_path) for _ in range(5)]
    assert len(set(given)) == 10
    assert all(type(number) is int for number in given)


def test_a_request_id_may_be_chosen_and_is_in_the_events(fam, tmp_path):
    events = []
    assert fam.add_monitor(tmp_path, events.append, request_id=77) == 77
    fam.handle_events()
    assert {event.request_id for event in events} == {77}


@pytest.mark.parametrize("started", [False, True])
def test_a_request_id_in_use_is_refused(started, tmp_path):
    fam = FileMonitor("pseudo")
    if started:
        fam.start()
    events = []
    fam.add_monitor(tmp_path, events.append, request_id=3)
    with pytest.raises(ValueError, match="3"):
        fam.add_monitor(tmp_path, print, request_id=3)
    assert fam.handles == {3: events.append}
    fam.handle_events()
    assert events
    fam.shutdown()


def test_an_automatic_request_id_in_use_is_refused_too(fam, tmp_path):
    number = fam.add_monitor(tmp_path)
    with pytest.raises(ValueError, match=str(number)):
        fam.add_monitor(tmp_path, request_id=number)


def test_automatic_request_ids_skip_those_taken(fam, tmp_path):
    first = fam.add_monitor(tmp_path)
    chosen = [fam.add_monitor(tmp_path, request_id=first + step) for step in (1, 2, 4)]
    automatic = [fam.add_monitor(tmp_path) for _ in range(3)]
    assert len({first, *chosen, *automatic}) == 7


def test_automatic_request_ids_skip_those_that_were_taken_once(fam, tmp_path):
    first = fam.add_monitor(tmp_path)
    fam.remove_monitor(fam.add_monitor(tmp_path, request_id=first + 1))
    assert fam.add_monitor(tmp_path) not in (first, first + 1)


@pytest.mark.parametrize("unknown", [99, None, "1"])
def test_to_remove_what_there_is_not_is_refused(unknown, fam, tmp_path):
    fam.add_monitor(tmp_path)
    with pytest.raises(ValueError, match="no monitor"):
        fam.remove_monitor(unknown)
    assert len(fam.handles) == 1


def test_to_remove_a_monitor_twice_is_refused(fam, tmp_path):
    number = fam.add_monitor(tmp_path)
    fam.remove_monitor(number)
    with pytest.raises(ValueError, match=str(number)):
        fam.remove_monitor(number)


def test_after_shutdown_nothing_can_be_monitored(fam, tmp_path):
    fam.shutdown()
    with pytest.raises(FamError):
        fam.add_monitor(tmp_path)


# --- as FAM has it


def test_fams_name_takes_any_object_and_a_handle_id(fam, tmp_path):
    anything = object()
    assert fam.AddMonitor(str(tmp_path), anything, handleID=4) == 4
    assert fam.handles == {4: anything}
    fam.handle_event_set()


def test_fams_name_refuses_what_add_monitor_does(fam, tmp_path):
    fam.AddMonitor(tmp_path, None, 4)
    with pytest.raises(ValueError, match="4"):
        fam.AddMonitor(tmp_path, None, 4)
    with pytest.raises(FileNotFoundError):
        fam.AddMonitor(tmp_path / "missing/file", None)
    with pytest.raises(ValueError, match="empty"):
        fam.AddMonitor("", None)
