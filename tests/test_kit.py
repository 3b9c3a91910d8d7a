"""The kit finds what is wrong with a backend: each rule fails for one that breaks it."""

from __future__ import annotations

import runpy
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from famcore.catalog import Status, find_backend
from famcore.errors import BackendNotFound
from famcore.testing import BackendTests
from famcore.testing.check import Begun, CheckFailed, Outcome, check
from famcore.testing.kit.rules import rules, said

SOURCE = Path(__file__).with_name("wrong_backends.py")
REFERENCE = SOURCE.parents[1] / "docs/testing-a-backend.md"
RULES = {rule.test: rule for rule in rules(BackendTests)}

PLUGIN = """
import famcore
from wrong_backends import {0} as Backend

{1}

@famcore.hookimpl
def fam_backend():
    return Backend
"""
#: Checks at a time: most of what is wrong has the kit wait in vain.
AT_A_TIME = 12


def is_usable(name):
    try:
        return find_backend(name).status is Status.USABLE
    except BackendNotFound:
        return False


WRONG = runpy.run_path(str(SOURCE)) if is_usable("inotify") else {"WRONG": []}
NAMES = [wrong.__name__ for wrong in WRONG["WRONG"]]
TESTS = {name: WRONG[name].__doc__ for name in NAMES}

pytestmark = pytest.mark.skipif(not NAMES, reason="they are made from inotify")


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory):
    """All of them are installed."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(SOURCE, site)
    for called in ("Right", *NAMES):
        name = called.lower()
        source = PLUGIN.format(called, WRONG[called].at_import)
        (site / f"plugin_{name}.py").write_text(source)
        info = site / f"fam_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fam-{name}\nVersion: 1.0\n")
        points = f"[famcore.backends]\n{name} = plugin_{name}\n"
        (info / "entry_points.txt").write_text(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield


def results(called, *words, **waivers):
    """What came of the tests that are called so, by their names."""
    came = check(called.lower(), waivers, words=words)
    return {each.test: each for each in came if not isinstance(each, Begun)}


# --- what is wrong


@pytest.fixture(scope="module")
def checks(request, installed):
    """Class → the check of it that has begun: those of the tests that are selected."""
    names = {item.callspec.params["called"] for item in selected(request)}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(results, name, TESTS[name]) for name in NAMES if name in names}


def selected(request):
    wanted = "test_what_is_wrong_is_found_by_its_rule"
    return [item for item in request.session.items if item.originalname == wanted]


@pytest.mark.parametrize("called", NAMES)
def test_what_is_wrong_is_found_by_its_rule(called, checks):
    test = TESTS[called]
    (result,) = checks[called].result().values()
    assert (result.test, result.outcome) == (test, Outcome.FAIL)
    if called == "EndsTheInterpreter":
        assert result.message.startswith("the interpreter was ended by SIGSEGV")
        return
    heading, rule, *others = result.message.splitlines()
    assert heading == f"backend {called.lower()!r}: {result.rule}"
    assert rule == f"the rule: {RULES[test].text}"
    assert any(line.startswith(("expected: ", "raised: ")) for line in others), result.message


def test_the_one_that_they_are_made_from_keeps_these_rules():
    tests = set(TESTS.values())
    came = results("Right", *tests)
    assert came.keys() == tests
    assert [each for each in came.values() if each.outcome is Outcome.FAIL] == []


def test_a_scenario_fails_with_what_was_done_and_what_was_told():
    (result,) = results("TellsWrongNames", "a file is made and removed at once").values()
    assert result.outcome is Outcome.FAIL
    for words in ("the rule: ", "was told, NOT as it should", "and was to be told"):
        assert words in result.message


# --- waivers


def test_what_is_waived_need_not_be_kept():
    name, test = "HasOneKeyForAll", "test_each_thing_has_a_key_of_its_own"
    for called in (test, RULES[test].name):
        (result,) = results(name, test, **{called: "one is enough"}).values()
        assert (result.outcome, result.remark) == (Outcome.WAIVED, "one is enough")


def test_a_waiver_that_is_not_needed_fails():
    test = "test_each_thing_has_a_key_of_its_own"
    (result,) = results("Right", test, **{test: "a reason"}).values()
    assert result.outcome is Outcome.FAIL
    assert result.message == "the waiver is not needed: the test passes (a reason); remove it"


def test_a_waiver_that_names_no_test_fails_and_says_which_is_meant():
    waivers = {"test_each_thing_has_a_key": "a reason", "what is not live has nothing to tell": "-"}
    (result,) = results("Right", "waiver", **waivers).values()
    assert result.outcome is Outcome.FAIL
    assert "did you mean test_each_thing_has_a_key_of_its_own?" in result.message
    assert "'what is not live has nothing to tell' is not asked" in result.message


# --- the check


def test_words_that_no_test_has_are_refused():
    with pytest.raises(CheckFailed, match="'nonsense'"):
        results("Right", "nonsense")


def test_the_reference_has_each_rule_with_what_it_asks_and_of_whom():
    rows = [line.strip("| ").split(" | ") for line in REFERENCE.read_text().splitlines()]
    for rule in RULES.values():
        if rule.test.startswith(("test_scenario[", "test_again[", "test_every_waiver")):
            continue
        asked_of = said(rule.needs).replace(" and ", ", ")
        if rule.only_without:
            asked_of = f"not {said(rule.only_without)}"
        assert [rule.name, asked_of or "all", rule.text] in rows


def test_each_rule_has_a_name_of_its_own_and_says_what_it_asks():
    assert len({rule.name for rule in RULES.values()}) == len(RULES)
    assert [rule.test for rule in RULES.values() if not rule.text] == []
