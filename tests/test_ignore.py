"""Patterns of names to ignore."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famcore import DEFAULT_IGNORE
from famcore.ignore import compile_patterns, should_ignore


def test_the_defaults_are_bcfg2s():
    assert " ".join(DEFAULT_IGNORE) == "*~ *# .#* *.swp *.swpx .*.swx SCCS .svn 4913 .gitignore"


@pytest.mark.parametrize(
    ("filename", "ignored"),
    [
        ("a~", True),
        ("s/t/a~", True),
        ("a~/b", False),
        ("s/.svn", True),
        (".svn/entries", False),
        ("s/a.svn", False),
        ("4913", True),
        ("s/4913", True),
        ("14913", False),
        ("two\nlines~", True),
        ("\udcff~", True),
        ("", False),
    ],
)
def test_a_pattern_is_tried_on_the_filename_and_on_its_last_part(filename, ignored):
    assert bool(should_ignore(compile_patterns(DEFAULT_IGNORE), filename)) is ignored


@pytest.mark.parametrize(
    ("filename", "ignored"), [("s/a.o", True), ("s/t/a.o", True), ("t/a.o", False), ("a.o", False)]
)
def test_a_pattern_with_a_slash_is_of_the_whole_filename(filename, ignored):
    assert bool(should_ignore(compile_patterns(["s/*.o"]), filename)) is ignored


def test_without_patterns_nothing_is_ignored():
    match = compile_patterns([])
    assert not any(should_ignore(match, name) for name in ("", "a", "a~", "s/.svn"))


NAMES = st.text(st.sampled_from("ab.~#*?[]!-/\n\\|()^$"), max_size=6)


@given(patterns=st.lists(NAMES, max_size=4), name=NAMES)
def test_all_patterns_in_one_match_what_each_of_them_does(patterns, name):
    match = compile_patterns(patterns)
    assert bool(match(name)) is any(fnmatch.fnmatchcase(name, each) for each in patterns)
