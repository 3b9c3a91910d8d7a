"""What is installed, as the catalogue tells it: real distributions in a folder on `sys.path`."""

from __future__ import annotations

import shutil
import sys

import pytest

from famcore.backend import Backend
from famcore.catalog import (
    Found,
    Status,
    choose,
    find_backend,
    find_backends,
    find_consumers,
    load_consumer,
)
from famcore.errors import BackendNotFound, BackendUnavailable, NoBackend, PluginError

CONSUMER = """
import famcore

class JsonLog:
    def __init__(self, file, size="10M"):
        self.file, self.size = file, size

    @famcore.hookimpl
    def fam_events(self, events): ...

@famcore.hookimpl
def fam_events(events): ...

ready = JsonLog("ready")
"""


@pytest.fixture
def install_consumer(site):
    def install(name, *, source=CONSUMER, attribute=""):
        return site.install(name, source, group="famcore.consumers", attribute=attribute)

    return install


# How a backend stands


def test_a_backend_that_works_here_is_usable(site):
    site.install("kqueue", priority=70, capabilities="Capability.LIVE | Capability.EXACT")
    found = find_backend("kqueue")
    assert (found.status, found.reason, found.hint) == (Status.USABLE, "", "")
    assert found.distribution == "fam-kqueue 1.0"
    assert issubclass(found.backend, Backend)
    assert (found.priority, found.capabilities, found.live) == (70, ["live", "exact"], True)
    assert str(found) == "backend 'kqueue' (fam-kqueue 1.0): usable"


def test_a_backend_that_lacks_something_is_unavailable_in_its_own_words(site):
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install("gamin", check=check)
    found = find_backend("gamin")
    assert found.status is Status.UNAVAILABLE
    assert (found.reason, found.hint) == ("gam_server not found", "apt install gamin")
    assert str(found) == "backend 'gamin' (fam-gamin 1.0): gam_server not found; apt install gamin"
    assert found.priority == 50


def test_a_plugin_that_fails_or_breaks_the_contract_is_broken(site):
    site.install("odd", "1 / 0", version="0.3")
    found = find_backend("odd")
    assert found.status is Status.BROKEN
    assert found.reason == "its import fails: ZeroDivisionError: division by zero"
    assert found.hint == "upgrade or uninstall it"
    assert found.distribution == "fam-odd 0.3"
    assert (found.backend, found.priority, found.capabilities, found.live) == (
        None,
        None,
        [],
        False,
    )


def test_the_traceback_of_a_broken_plugin_is_in_the_debug_log(site, caplog):
    module = site.install("odd", "1 / 0")
    with caplog.at_level("DEBUG", "famcore.catalog"):
        find_backend("odd")
    assert "backend 'odd' failed when looked at" in caplog.text
    assert f'{module}.py", line 1' in caplog.text


def test_the_class_of_a_backend_whose_check_fails_is_known(site):
    site.install("odd", check="raise SystemExit('boom')")
    found = find_backend("odd")
    assert (found.status, found.reason) == (Status.BROKEN, "its check fails: SystemExit: boom")
    assert found.priority == 50


def test_an_interrupt_passes_through(site):
    site.install("slow", check="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        find_backends()
    site.install("slower", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        find_backend("slower")


@pytest.mark.parametrize(("api", "who"), [(2, "famcore"), (0, "the plugin")])
def test_a_backend_for_another_contract_is_incompatible(site, api, who):
    site.install("later", api=api, capabilities="'of another kind'")
    found = find_backend("later")
    assert found.status is Status.INCOMPATIBLE
    assert found.reason == f"it was written for contract {api}, this famcore has 1"
    assert found.hint == f"install a newer version of {who}"
    assert (found.backend, found.priority, found.capabilities) == (None, None, [])


def test_one_name_from_two_distributions_is_a_conflict_and_neither_is_imported(site):
    site.install("kqueue", distribution="fam-kqueue")
    site.install("kqueue", distribution="another-kqueue")
    found = find_backend("kqueue")
    assert found.status is Status.CONFLICT
    assert found.distribution == "another-kqueue 1.0, fam-kqueue 1.0"
    assert str(found).endswith("more than one distribution brings it; uninstall all but one")
    assert not site.imported()


def test_a_conflict_is_seen_though_other_names_stand_between(site):
    site.install("b", distribution="a-first")
    site.install("a", distribution="b-between")
    site.install("b", distribution="c-last")
    assert {found.name: found.status for found in find_backends()} == {
        "a": Status.USABLE,
        "b": Status.CONFLICT,
    }


def test_one_distribution_seen_twice_is_no_conflict_and_the_first_is_taken(site, monkeypatch):
    site.install("kqueue")
    second = type(site)(site.folder / "second")
    second.install("kqueue", "raise ImportError", distribution="Fam.Kqueue", version="0.9")
    monkeypatch.setattr(sys, "path", [sys.path[0], str(second.folder), *sys.path])
    found = find_backend("kqueue")
    assert (found.status, found.distribution) == (Status.USABLE, "fam-kqueue 1.0")


def test_what_a_broken_off_uninstall_left_behind_is_no_conflict(site):
    site.install("kqueue")
    shutil.copytree(
        site.folder / "fam_kqueue-1.0.dist-info", site.folder / "~am_kqueue-1.0.dist-info"
    )
    found = find_backend("kqueue")
    assert (found.status, found.distribution) == (Status.USABLE, "fam-kqueue 1.0")


def test_two_without_a_name_are_two(site):
    for distribution in ("fam-a", "fam-b"):
        site.install("kqueue", distribution=distribution)
    for info in site.folder.glob("*.dist-info"):
        (info / "METADATA").unlink()
    assert find_backend("kqueue").status is Status.CONFLICT
    # One that can't be read has all of them read one by one.
    site.install("torn")
    (site.folder / "fam_torn-1.0.dist-info/entry_points.txt").write_text("[famcore.backends]\n-")
    assert find_backend("kqueue").status is Status.CONFLICT
    assert find_backend("fam-torn").status is Status.BROKEN


# The listing


def test_the_usable_come_first_and_the_best_of_them_leads(site):
    site.install("pseudo", priority=1, capabilities="Capability(0)")
    site.install("slow", priority=10)
    site.install("b", priority=70)
    site.install("a", priority=70)
    site.install("absent", priority=99, check="raise BackendUnavailable('no server')")
    site.install("broken", "1 / 0")
    assert [found.name for found in find_backends()] == [
        "a",
        "b",
        "slow",
        "pseudo",
        "absent",
        "broken",
    ]


def test_without_a_backend_the_list_is_empty(site):
    assert find_backends() == []


def test_one_backend_is_found_without_importing_another(site):
    wanted = site.install("kqueue")
    site.install("other")
    find_backend("kqueue")
    assert site.imported() == {wanted}


def test_what_was_installed_a_moment_ago_is_found(site):
    site.install("first")
    assert [found.name for found in find_backends()] == ["first"]
    site.install("second")
    assert [found.name for found in find_backends()] == ["first", "second"]


def test_a_name_that_is_not_installed_says_what_is_and_how_to_get_it(site):
    site.install("inotify")
    site.install("kqueue")
    with pytest.raises(BackendNotFound) as caught:
        find_backend("inotfy")
    assert str(caught.value) == (
        "no backend 'inotfy' is installed; did you mean inotify?"
        " (installed: inotify, kqueue; more come by pip install fam-<name>)"
    )
    assert not site.imported()


# The choice


def test_of_all_the_live_ones_are_tried_by_priority(site):
    site.install("low", priority=20)
    site.install("high", priority=90)
    site.install("deaf", priority=95, capabilities="Capability(0)")
    site.install("broken", "1 / 0")
    assert [backend.name for backend in choose(None)] == ["high", "low"]


def test_those_that_have_been_looked_at_are_not_looked_at_again(site):
    site.install("live")
    every = find_backends()
    [backend] = choose(None, among=every)
    assert backend.log == ["check"]
    assert choose("live", among=[]) == [backend]


def test_one_that_is_not_live_is_taken_when_named(site):
    site.install("deaf", capabilities="Capability(0)")
    assert [backend.name for backend in choose("deaf")] == ["deaf"]


def test_the_environment_names_a_backend_where_the_caller_does_not(site, monkeypatch):
    site.install("low", priority=20)
    high = site.install("high", priority=90)
    monkeypatch.setenv("FAM_BACKEND", "low")
    assert [backend.name for backend in choose(None)] == ["low"]
    assert high not in site.imported()
    assert [backend.name for backend in choose("high")] == ["high"]
    monkeypatch.setenv("FAM_BACKEND", "")
    assert [backend.name for backend in choose(None)] == ["high", "low"]


def test_a_wrong_name_in_the_environment_is_blamed_on_it(site, monkeypatch):
    monkeypatch.setenv("FAM_BACKEND", "lwo")
    with pytest.raises(BackendNotFound, match=r"^\$FAM_BACKEND: no backend 'lwo' is installed"):
        choose(None)


def test_a_named_one_that_is_unavailable_says_why_and_what_helps(site):
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install("gamin", check=check)
    with pytest.raises(BackendUnavailable) as caught:
        choose("gamin")
    assert str(caught.value) == (
        "backend 'gamin' (fam-gamin 1.0): gam_server not found; apt install gamin"
    )
    assert caught.value.hint == "apt install gamin"


def test_a_named_one_that_is_broken_says_why(site):
    site.install("broken", "1 / 0")
    with pytest.raises(PluginError) as caught:
        choose("broken")
    assert str(caught.value) == (
        "backend 'broken' (fam-broken 1.0): its import fails: ZeroDivisionError: division by zero;"
        " upgrade or uninstall it"
    )


def test_with_none_to_choose_each_one_found_is_listed_with_its_reason(site):
    site.install("deaf", priority=1, capabilities="Capability(0)")
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install("gamin", check=check)
    site.install("later", api=2)
    site.install("broken", "1 / 0")
    with pytest.raises(NoBackend) as caught:
        choose(None)
    assert str(caught.value).splitlines() == [
        "no live backend can be used:",
        "  deaf (fam-deaf 1.0) is usable, but not live: name it to use it",
        "  gamin (fam-gamin 1.0) is unavailable: gam_server not found; apt install gamin",
        "  later (fam-later 1.0) is incompatible: " + str(find_backend("later")).split(": ")[1],
        "  broken (fam-broken 1.0) is broken: " + find_backend("broken").remark,
    ]


def test_with_nothing_installed_it_says_what_to_install(site):
    with pytest.raises(NoBackend, match="no backend is installed; pip install"):
        choose(None)


def test_a_class_is_taken_as_it_is_after_its_check(site):
    site.install("kqueue")
    backend = find_backend("kqueue").backend
    assert choose(backend) == [backend]


def test_a_class_that_cannot_work_here_says_so_itself(site):
    site.install("gamin", check="raise BackendUnavailable('no server', 'start it')")
    with pytest.raises(BackendUnavailable, match=r"^no server; start it$"):
        choose(find_backend("gamin").backend)


def test_a_class_that_breaks_the_contract_is_refused(site):
    class Half(Backend):
        name = "half"
        api = 1

    with pytest.raises(PluginError, match="plugin '5': its backend is 5; give the class"):
        choose(5)
    with pytest.raises(PluginError, match="plugin 'half': Half lacks __init__, check"):
        choose(Half)
    Half.api = 2
    with pytest.raises(PluginError, match="backend Half: it was written for contract 2"):
        choose(Half)


# Consumers


def test_consumers_are_listed_without_being_imported(site, install_consumer):
    install_consumer("jsonlog")
    install_consumer("audit")
    assert find_consumers() == [("audit", "fam-audit 1.0"), ("jsonlog", "fam-jsonlog 1.0")]
    assert not site.imported()


def test_a_consumer_may_be_a_module(site, install_consumer):
    module = install_consumer("jsonlog")
    install_consumer("audit")
    assert load_consumer("jsonlog", {}) is sys.modules[module]
    assert site.imported() == {module}


def test_a_consumer_may_be_an_instance(site, install_consumer):
    module = install_consumer("jsonlog", attribute=":ready")
    assert load_consumer("jsonlog", {}) is sys.modules[module].ready


def test_a_consumer_class_is_called_with_its_options(site, install_consumer):
    install_consumer("jsonlog", attribute=":JsonLog")
    made = load_consumer("jsonlog", {"file": "x"})
    assert (made.file, made.size) == ("x", "10M")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"file": "x", "sizes": "1"},
            "no option 'sizes'; did you mean size?; it accepts file, size",
        ),
        ({"size": "1"}, "it needs the option 'file'; it accepts file, size"),
    ],
)
def test_wrong_options_are_refused_with_those_accepted(site, install_consumer, options, message):
    install_consumer("jsonlog", attribute=":JsonLog")
    with pytest.raises(PluginError) as caught:
        load_consumer("jsonlog", options)
    assert str(caught.value) == f"consumer 'jsonlog' (fam-jsonlog 1.0): {message}"


def test_a_class_may_take_any_option(site, install_consumer):
    own = "class Any(JsonLog):\n    def __init__(self, **options): self.options = options"
    install_consumer("any", source=f"{CONSUMER}\n{own}", attribute=":Any")
    assert load_consumer("any", {"x": "1"}).options == {"x": "1"}


def test_a_class_that_does_not_tell_its_arguments_is_just_called(site, install_consumer):
    own = "class Any(dict):\n    __hash__, fam_events = object.__hash__, JsonLog.fam_events"
    install_consumer("any", source=f"{CONSUMER}\n{own}", attribute=":Any")
    assert load_consumer("any", {"x": "1"}) == {"x": "1"}


def test_options_for_what_takes_none_are_refused(site, install_consumer):
    install_consumer("jsonlog")
    with pytest.raises(PluginError, match="it takes no options, remove file"):
        load_consumer("jsonlog", {"file": "x"})


def test_an_option_that_the_class_refuses_is_its_error(site, install_consumer):
    source = "class Log:\n    def __init__(self, size): self.size = int(size)"
    install_consumer("log", source=source, attribute=":Log")
    with pytest.raises(PluginError, match=r"consumer 'log' \(fam-log 1.0\): ValueError: invalid"):
        load_consumer("log", {"size": "big"})


def test_a_file_that_the_system_refuses_stays_an_os_error(site, install_consumer, tmp_path):
    source = "class Log:\n    def __init__(self, file): self.file = open(file)"
    install_consumer("log", source=source, attribute=":Log")
    missing = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as caught:
        load_consumer("log", {"file": missing})
    assert caught.value.filename == missing


def test_an_unknown_consumer_says_which_there_are(site, install_consumer):
    install_consumer("jsonlog")
    with pytest.raises(PluginError) as caught:
        load_consumer("jsonlg", {})
    assert str(caught.value) == (
        "no consumer 'jsonlg' is installed; did you mean jsonlog? (installed: jsonlog)"
    )


@pytest.mark.parametrize("source", ["import no_such_module", "raise SystemExit(1)"])
def test_a_consumer_that_fails_at_import_says_why(site, install_consumer, source):
    install_consumer("jsonlog", source=source)
    reason = r"consumer 'jsonlog' \(fam-jsonlog 1.0\): its import fails: (Module|SystemExit: 1)"
    with pytest.raises(PluginError, match=reason):
        load_consumer("jsonlog", {})


def test_a_consumer_that_two_distributions_bring_is_refused(site):
    for distribution in ("fam-a", "fam-b"):
        site.install("jsonlog", CONSUMER, group="famcore.consumers", distribution=distribution)
    with pytest.raises(
        PluginError, match=r"consumer 'jsonlog' \(fam-a 1.0, fam-b 1.0\): more than"
    ):
        load_consumer("jsonlog", {})
    assert not site.imported()


def test_a_found_backend_cannot_be_changed(site):
    found = Found("x", Status.USABLE, "", "", "fam-x 1.0", None)
    with pytest.raises(AttributeError):
        found.name = "y"
