"""What is installed, as the catalogue tells it: real distributions in a folder on `sys.path`."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from pathlib import Path

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

BACKEND = """
import famcore
from famcore.backend import Backend, BackendUnavailable, Capability

class It(Backend):
    name = {name!r}
    api = {api}
    priority = {priority}
    capabilities = {capabilities}

    @classmethod
    def check(cls):
        {check}

    def __init__(self): ...
    def watch(self, path, interest=None): ...
    def unwatch(self, key): ...
    def fileno(self): ...
    def read(self): ...
    def close(self): ...

@famcore.hookimpl
def fam_backend():
    return It
"""

ABSTRACT = """
import famcore
from famcore.backend import Backend

class It(Backend):
    api = 1

@famcore.hookimpl
def fam_backend():
    return It
"""

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


class Site:
    """A folder on `sys.path` to install distributions in."""

    numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, distribution, name, source, *, group="famcore.backends", version="1.0", attribute=""
    ):
        """Write a distribution with one module, `source`; return the module's name."""
        self.folder.mkdir(exist_ok=True)
        module = f"installed_{next(self.numbers)}"
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}{attribute}\n")
        # A folder changed twice within one tick of the clock looks unchanged to importlib.
        importlib.invalidate_caches()
        return module

    def install_backend(
        self,
        name,
        *,
        check="pass",
        priority=50,
        capabilities="Capability.LIVE",
        api=1,
        distribution=None,
    ):
        source = BACKEND.format(
            name=name, check=check, priority=priority, capabilities=capabilities, api=api
        )
        return self.install(distribution or f"fam-{name}", name, source)

    def install_consumer(self, name, *, source=CONSUMER, attribute=""):
        return self.install(
            f"fam-{name}", name, source, group="famcore.consumers", attribute=attribute
        )


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty one, with nothing else that is installed in sight."""
    bare = [path for path in sys.path if not any(Path(path).glob("*.dist-info"))]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *bare])
    monkeypatch.delenv("FAM_BACKEND", raising=False)
    yield Site(tmp_path)
    for module in [name for name in sys.modules if name.startswith("installed_")]:
        del sys.modules[module]


def imported():
    return {name for name in sys.modules if name.startswith("installed_")}


# How a backend stands


def test_a_backend_that_works_here_is_usable(site):
    site.install_backend("kqueue", priority=70, capabilities="Capability.LIVE | Capability.EXACT")
    found = find_backend("kqueue")
    assert (found.status, found.reason, found.hint) == (Status.USABLE, "", "")
    assert found.distribution == "fam-kqueue 1.0"
    assert issubclass(found.backend, Backend)
    assert (found.priority, found.capabilities, found.live) == (70, ["live", "exact"], True)
    assert str(found) == "backend 'kqueue' (fam-kqueue 1.0): usable"


def test_a_backend_that_lacks_something_is_unavailable_in_its_own_words(site):
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install_backend("gamin", check=check)
    found = find_backend("gamin")
    assert found.status is Status.UNAVAILABLE
    assert (found.reason, found.hint) == ("gam_server not found", "apt install gamin")
    assert str(found) == "backend 'gamin' (fam-gamin 1.0): gam_server not found; apt install gamin"
    assert found.priority == 50


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("assert False", "AssertionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class Odd(BaseException): pass\nraise Odd('end')", "Odd: end"),
        ("def (:", "SyntaxError: invalid syntax"),
        ("", "it implements no hook; put @famcore.hookimpl above"),
        ("def fam_backend(): ...", "fam_backend is not decorated; put @famcore.hookimpl above it"),
        (
            "import famcore\n@famcore.hookimpl\ndef fam_bakend(): ...",
            "fam_bakend is not a hook; did you mean fam_backend?",
        ),
        (
            "import famcore\n@famcore.hookimpl\ndef fam_backend(): 1 / 0",
            "ZeroDivisionError: division by zero",
        ),
        (
            "import famcore\n@famcore.hookimpl\ndef fam_backend(): return 1",
            "its backend is 1; give the class",
        ),
        (
            ABSTRACT,
            "It lacks __init__, check, close, fileno, read, unwatch, watch; write them",
        ),
    ],
)
def test_a_plugin_that_fails_or_breaks_the_contract_is_broken(site, source, reason):
    site.install("fam-odd", "odd", source, version="0.3")
    found = find_backend("odd")
    assert found.status is Status.BROKEN
    assert found.reason.startswith(reason)
    assert "\n" not in found.reason
    assert not found.reason.endswith((":", " "))
    assert found.distribution == "fam-odd 0.3"
    assert (found.backend, found.priority, found.capabilities, found.live) == (
        None,
        None,
        [],
        False,
    )


def test_the_traceback_of_a_broken_plugin_is_in_the_debug_log(site, caplog):
    module = site.install("fam-odd", "odd", "1 / 0")
    with caplog.at_level("DEBUG", "famcore.catalog"):
        find_backend("odd")
    assert "backend 'odd' failed when looked at" in caplog.text
    assert f'{module}.py", line 1' in caplog.text


def test_an_entry_point_that_names_nothing_is_broken(site):
    module = site.install("fam-odd", "odd", "", attribute=":missing")
    assert find_backend("odd").reason == (
        f"AttributeError: module '{module}' has no attribute 'missing'"
    )


@pytest.mark.parametrize("failure", ["RuntimeError('boom')", "SystemExit('boom')"])
def test_a_check_that_fails_in_another_way_is_broken(site, failure):
    site.install_backend("odd", check=f"raise {failure}")
    found = find_backend("odd")
    assert (found.status, found.reason) == (Status.BROKEN, f"{failure.partition('(')[0]}: boom")
    assert found.priority == 50


def test_an_interrupt_passes_through(site):
    site.install_backend("slow", check="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        find_backends()
    site.install("fam-slower", "slower", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        find_backend("slower")


@pytest.mark.parametrize(("api", "who"), [(2, "famcore"), (0, "the plugin")])
def test_a_backend_for_another_contract_is_incompatible(site, api, who):
    site.install_backend("later", api=api, capabilities="'of another kind'")
    found = find_backend("later")
    assert found.status is Status.INCOMPATIBLE
    assert found.reason == f"it was written for contract {api}, this famcore has 1"
    assert found.hint == f"install a newer version of {who}"
    assert (found.backend, found.priority, found.capabilities) == (None, None, [])


def test_one_name_from_two_distributions_is_a_conflict_and_neither_is_imported(site):
    site.install_backend("kqueue", distribution="fam-kqueue")
    site.install_backend("kqueue", distribution="another-kqueue")
    found = find_backend("kqueue")
    assert found.status is Status.CONFLICT
    assert found.distribution == "another-kqueue 1.0, fam-kqueue 1.0"
    assert str(found).endswith("more than one distribution brings it; uninstall all but one")
    assert not imported()


def test_a_conflict_is_seen_though_other_names_stand_between(site):
    site.install_backend("b", distribution="a-first")
    site.install_backend("a", distribution="b-between")
    site.install_backend("b", distribution="c-last")
    assert {found.name: found.status for found in find_backends()} == {
        "a": Status.USABLE,
        "b": Status.CONFLICT,
    }


def test_one_distribution_seen_twice_is_no_conflict_and_the_first_is_taken(site, monkeypatch):
    site.install_backend("kqueue")
    second = Site(site.folder / "second")
    second.install("Fam.Kqueue", "kqueue", "raise ImportError", version="0.9")
    monkeypatch.setattr(sys, "path", [sys.path[0], str(second.folder), *sys.path])
    found = find_backend("kqueue")
    assert (found.status, found.distribution) == (Status.USABLE, "fam-kqueue 1.0")


def test_what_a_broken_off_uninstall_left_behind_is_no_conflict(site):
    site.install_backend("kqueue")
    shutil.copytree(
        site.folder / "fam_kqueue-1.0.dist-info", site.folder / "~am_kqueue-1.0.dist-info"
    )
    found = find_backend("kqueue")
    assert (found.status, found.distribution) == (Status.USABLE, "fam-kqueue 1.0")


# The listing


def test_the_usable_come_first_and_the_best_of_them_leads(site):
    site.install_backend("pseudo", priority=1, capabilities="Capability(0)")
    site.install_backend("slow", priority=10)
    site.install_backend("b", priority=70)
    site.install_backend("a", priority=70)
    site.install_backend("absent", priority=99, check="raise BackendUnavailable('no server')")
    site.install("fam-broken", "broken", "1 / 0")
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
    wanted = site.install_backend("kqueue")
    site.install_backend("other")
    find_backend("kqueue")
    assert imported() == {wanted}


def test_what_was_installed_a_moment_ago_is_found(site):
    site.install_backend("first")
    assert [found.name for found in find_backends()] == ["first"]
    site.install_backend("second")
    assert [found.name for found in find_backends()] == ["first", "second"]


def test_a_name_that_is_not_installed_says_what_is_and_how_to_get_it(site):
    site.install_backend("inotify")
    site.install_backend("kqueue")
    with pytest.raises(BackendNotFound) as caught:
        find_backend("inotfy")
    assert str(caught.value) == (
        "no backend 'inotfy' is installed; did you mean inotify?"
        " (installed: inotify, kqueue; more come by pip install fam-<name>)"
    )
    assert not imported()


# The choice


def test_of_all_the_live_ones_are_tried_by_priority(site):
    site.install_backend("low", priority=20)
    site.install_backend("high", priority=90)
    site.install_backend("deaf", priority=95, capabilities="Capability(0)")
    site.install("fam-broken", "broken", "1 / 0")
    assert [backend.name for backend in choose(None)] == ["high", "low"]


def test_one_that_is_not_live_is_taken_when_named(site):
    site.install_backend("deaf", capabilities="Capability(0)")
    assert [backend.name for backend in choose("deaf")] == ["deaf"]


def test_the_environment_names_a_backend_where_the_caller_does_not(site, monkeypatch):
    site.install_backend("low", priority=20)
    high = site.install_backend("high", priority=90)
    monkeypatch.setenv("FAM_BACKEND", "low")
    assert [backend.name for backend in choose(None)] == ["low"]
    assert high not in imported()
    assert [backend.name for backend in choose("high")] == ["high"]
    monkeypatch.setenv("FAM_BACKEND", "")
    assert [backend.name for backend in choose(None)] == ["high", "low"]


def test_a_wrong_name_in_the_environment_is_blamed_on_it(site, monkeypatch):
    monkeypatch.setenv("FAM_BACKEND", "lwo")
    with pytest.raises(BackendNotFound, match=r"^\$FAM_BACKEND: no backend 'lwo' is installed"):
        choose(None)


def test_a_named_one_that_is_unavailable_says_why_and_what_helps(site):
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install_backend("gamin", check=check)
    with pytest.raises(BackendUnavailable) as caught:
        choose("gamin")
    assert str(caught.value) == (
        "backend 'gamin' (fam-gamin 1.0): gam_server not found; apt install gamin"
    )
    assert caught.value.hint == "apt install gamin"


def test_a_named_one_that_is_broken_says_why(site):
    site.install("fam-broken", "broken", "1 / 0")
    with pytest.raises(PluginError) as caught:
        choose("broken")
    assert str(caught.value) == (
        "backend 'broken' (fam-broken 1.0): ZeroDivisionError: division by zero"
    )


def test_with_none_to_choose_each_one_found_is_listed_with_its_reason(site):
    site.install_backend("deaf", priority=1, capabilities="Capability(0)")
    check = "raise BackendUnavailable('gam_server not found', 'apt install gamin')"
    site.install_backend("gamin", check=check)
    site.install_backend("later", api=2)
    site.install("fam-broken", "broken", "1 / 0")
    with pytest.raises(NoBackend) as caught:
        choose(None)
    assert str(caught.value).splitlines() == [
        "no live backend can be used:",
        "  deaf (fam-deaf 1.0) is usable, but not live: name it to use it",
        "  gamin (fam-gamin 1.0) is unavailable: gam_server not found; apt install gamin",
        "  later (fam-later 1.0) is incompatible: " + str(find_backend("later")).split(": ")[1],
        "  broken (fam-broken 1.0) is broken: ZeroDivisionError: division by zero",
    ]


def test_with_nothing_installed_it_says_what_to_install(site):
    with pytest.raises(NoBackend, match="no backend is installed; pip install"):
        choose(None)


def test_a_class_is_taken_as_it_is_after_its_check(site):
    site.install_backend("kqueue")
    backend = find_backend("kqueue").backend
    assert choose(backend) == [backend]


def test_a_class_that_cannot_work_here_says_so_itself(site):
    site.install_backend("gamin", check="raise BackendUnavailable('no server', 'start it')")
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


def test_consumers_are_listed_without_being_imported(site):
    site.install_consumer("jsonlog")
    site.install_consumer("audit")
    assert find_consumers() == [("audit", "fam-audit 1.0"), ("jsonlog", "fam-jsonlog 1.0")]
    assert not imported()


def test_a_consumer_may_be_a_module(site):
    module = site.install_consumer("jsonlog")
    site.install_consumer("audit")
    assert load_consumer("jsonlog", {}) is sys.modules[module]
    assert imported() == {module}


def test_a_consumer_may_be_an_instance(site):
    module = site.install_consumer("jsonlog", attribute=":ready")
    assert load_consumer("jsonlog", {}) is sys.modules[module].ready


def test_a_consumer_class_is_called_with_its_options(site):
    site.install_consumer("jsonlog", attribute=":JsonLog")
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
def test_wrong_options_are_refused_with_those_accepted(site, options, message):
    site.install_consumer("jsonlog", attribute=":JsonLog")
    with pytest.raises(PluginError) as caught:
        load_consumer("jsonlog", options)
    assert str(caught.value) == f"consumer 'jsonlog' (fam-jsonlog 1.0): {message}"


def test_a_class_may_take_any_option(site):
    source = "class Any:\n    def __init__(self, **options): self.options = options"
    site.install_consumer("any", source=source, attribute=":Any")
    assert load_consumer("any", {"x": "1"}).options == {"x": "1"}


def test_a_class_that_does_not_tell_its_arguments_is_just_called(site):
    site.install_consumer("any", source="class Any(dict): ...", attribute=":Any")
    assert load_consumer("any", {"x": "1"}) == {"x": "1"}


def test_options_for_what_takes_none_are_refused(site):
    site.install_consumer("jsonlog")
    with pytest.raises(PluginError, match="it takes no options, remove file"):
        load_consumer("jsonlog", {"file": "x"})


def test_an_option_that_the_class_refuses_is_its_error(site):
    source = "class Log:\n    def __init__(self, size): self.size = int(size)"
    site.install_consumer("log", source=source, attribute=":Log")
    with pytest.raises(PluginError, match=r"consumer 'log' \(fam-log 1.0\): ValueError: invalid"):
        load_consumer("log", {"size": "big"})


def test_a_file_that_the_system_refuses_stays_an_os_error(site, tmp_path):
    source = "class Log:\n    def __init__(self, file): self.file = open(file)"
    site.install_consumer("log", source=source, attribute=":Log")
    missing = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as caught:
        load_consumer("log", {"file": missing})
    assert caught.value.filename == missing


def test_an_unknown_consumer_says_which_there_are(site):
    site.install_consumer("jsonlog")
    with pytest.raises(PluginError) as caught:
        load_consumer("jsonlg", {})
    assert str(caught.value) == (
        "no consumer 'jsonlg' is installed; did you mean jsonlog? (installed: jsonlog)"
    )


@pytest.mark.parametrize("source", ["import no_such_module", "raise SystemExit(1)"])
def test_a_consumer_that_fails_at_import_says_why(site, source):
    site.install_consumer("jsonlog", source=source)
    reason = r"consumer 'jsonlog' \(fam-jsonlog 1.0\): (ModuleNotFoundError: No|SystemExit: 1)"
    with pytest.raises(PluginError, match=reason):
        load_consumer("jsonlog", {})


def test_a_consumer_that_two_distributions_bring_is_refused(site):
    for distribution in ("fam-a", "fam-b"):
        site.install(distribution, "jsonlog", CONSUMER, group="famcore.consumers")
    with pytest.raises(
        PluginError, match=r"consumer 'jsonlog' \(fam-a 1.0, fam-b 1.0\): more than"
    ):
        load_consumer("jsonlog", {})
    assert not imported()


def test_a_found_backend_cannot_be_changed(site):
    found = Found("x", Status.USABLE, "", "", "fam-x 1.0", None)
    with pytest.raises(AttributeError):
        found.name = "y"
