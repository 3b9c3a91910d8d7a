"""The file that makes way for another when it is full."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fam_jsonlog.rotating import RotatingFile


@pytest.fixture
def place(tmp_path):
    """An empty directory for the files."""
    place = tmp_path / "place"
    place.mkdir()
    return place


@pytest.fixture
def rotating(place):
    """Make one that is closed at the end."""
    made = []

    def make(size, keep=9):
        made.append(RotatingFile(str(place / "log"), size=size, keep=keep))
        return made[-1]

    yield make
    for file in made:
        file.close()


def files(place):
    return {path.name: path.read_text() for path in place.iterdir()}


def test_a_full_file_is_put_beside_the_latest_as_number_one(rotating, place):
    file = rotating(size=8)
    for line in ("one\n", "two\n", "three\n", "four\n"):
        file.write(line.encode())
    assert files(place) == {"log": "four\n", "log.1": "three\n", "log.2": "one\ntwo\n"}


def test_no_more_are_kept_than_asked_for(rotating, place):
    file = rotating(size=2, keep=2)
    for line in "abcdef":
        file.write(f"{line}\n".encode())
    assert files(place) == {"log": "f\n", "log.1": "e\n", "log.2": "d\n"}


def test_none_is_kept_if_none_is_asked_for(rotating, place):
    file = rotating(size=2, keep=0)
    for line in "abc":
        file.write(f"{line}\n".encode())
    assert files(place) == {"log": "c\n"}


def test_a_batch_is_parted_between_lines(rotating, place):
    rotating(size=10).write(b"".join(b"%03d\n" % number for number in range(6)))
    assert files(place) == {"log": "004\n005\n", "log.1": "002\n003\n", "log.2": "000\n001\n"}


def test_a_line_that_is_longer_than_a_file_has_one_to_itself(rotating, place):
    rotating(size=4).write(b"a\n" + b"x" * 9 + b"\nb\n")
    assert files(place) == {"log": "b\n", "log.1": "xxxxxxxxx\n", "log.2": "a\n"}


def test_what_was_there_counts(rotating, place):
    (place / "log").write_text("earlier\n")
    rotating(size=10).write(b"now\n")
    assert files(place) == {"log": "now\n", "log.1": "earlier\n"}


def test_a_number_that_is_missing_keeps_no_other_from_moving_on(rotating, place):
    (place / "log.2").write_text("two\n")
    file = rotating(size=2)
    file.write(b"a\nb\n")
    assert files(place) == {"log": "b\n", "log.1": "a\n", "log.3": "two\n"}


def test_a_file_that_somebody_took_away_is_made_again_when_it_is_full(rotating, place):
    file = rotating(size=2)
    file.write(b"a\n")
    os.remove(place / "log")
    file.write(b"b\n")
    assert files(place) == {"log": "b\n"}


def test_it_may_be_closed_twice(rotating):
    file = rotating(size=2)
    file.close()
    file.close()


FULL = """
import resource, sys
from fam_jsonlog.rotating import RotatingFile

file = RotatingFile(sys.argv[1], size=1000, keep=0)
file.write(b"before\\n")
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, unlimited[1]))
try:
    file.write(b"refused\\n")
except OSError as error:
    print(error.filename)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
file.write(b"after\\n")
file.close()
"""


def test_no_line_is_there_by_half_when_there_is_no_room(place):
    log = str(place / "log")
    done = subprocess.run([sys.executable, "-c", FULL, log], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{log}\n"), done.stderr
    assert files(place) == {"log": "before\nafter\n"}


@pytest.mark.parametrize(
    ("name", "is_own"),
    [("log", True), ("log.1", True), ("log.12", True), ("log.1.gz", False), ("logs", False)],
)
def test_its_own_files_are_known_by_their_names(rotating, place, name, is_own):
    assert (f"{place}/{name}" in rotating(size=9)) is is_own
    assert f"{place}/below/{name}" not in rotating(size=9)
    assert f"{place.parent}/{name}" not in rotating(size=9)
