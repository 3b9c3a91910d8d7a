"""Backends made from one that is right, each of which breaks one rule: what the kit has to find.

The docstring of each is the test of the kit that has to fail.
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import threading
import warnings

import famcore.backend
from fam_inotify import InotifyBackend
from famcore.backend import Capability, Change, Kind


class Right(InotifyBackend):
    """What all of these are made from."""

    #: What the plugin's module does when it is imported.
    at_import = ""

    def read(self):
        return [Change(*change) for change in super().read()]


# --- what it says of itself


class ApiOfTheCore(Right):
    """test_its_api_is_a_literal_number"""

    api = famcore.backend.API


class PriorityOfOneThatIsNotLive(Right):
    """test_its_priority_is_that_of_a_live_one"""

    priority = 5


class NotLivePriority(Right):
    """test_its_priority_is_that_of_one_that_is_not_live"""

    capabilities = Capability(0)


class AsksForAnArgument(Right):
    """test_it_is_made_without_arguments"""

    def __init__(self, path):
        super().__init__()


class ChecksByOpening(Right):
    """test_its_check_is_cheap_and_without_side_effects"""

    @classmethod
    def check(cls):
        os.open("/dev/null", os.O_RDONLY)


# --- from the constructor to close


class ClosesWhatIsAnothers(Right):
    """test_closing_it_twice_is_harmless"""

    def __init__(self):
        super().__init__()
        self.own = os.open("/dev/null", os.O_RDONLY)

    def close(self):
        super().close()
        os.close(self.own)


class LeavesDescriptors(Right):
    """test_no_descriptor_is_left_when_it_is_closed"""

    def __init__(self):
        super().__init__()
        os.open("/dev/null", os.O_RDONLY)


class HandsDescriptorsOn(Right):
    """test_what_it_opens_is_closed_when_a_program_is_executed"""

    def __init__(self):
        super().__init__()
        os.set_inheritable(self.fileno(), True)


class LeavesDescriptorsOfWatches(Right):
    """test_no_descriptor_is_left_of_a_watch_that_ended"""

    def watch(self, path, interest=7):
        os.open(path, os.O_RDONLY)
        return super().watch(path, interest)


class LeavesDescriptorsOfWhatIsGone(Right):
    """test_no_descriptor_is_left_of_what_is_gone"""

    def __init__(self):
        super().__init__()
        self.open = {}

    def watch(self, path, interest=7):
        key = super().watch(path, interest)
        self.open.setdefault(key, os.open("/dev/null", os.O_RDONLY))
        return key

    def unwatch(self, key):
        super().unwatch(key)
        if key in self.open:
            os.close(self.open.pop(key))

    def close(self):
        for key in list(self.open):
            self.unwatch(key)
        super().close()


class LeavesAThread(Right):
    """test_no_thread_is_left_when_it_is_closed"""

    def __init__(self):
        super().__init__()
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class LeavesAProcess(Right):
    """test_no_process_is_left_when_it_is_closed"""

    def __init__(self):
        super().__init__()
        # It ends with who holds the other end of its pipe.
        with warnings.catch_warnings(action="ignore"):
            subprocess.Popen(["cat"], stdin=subprocess.PIPE)


class OneForAll(Right):
    """test_one_instance_goes_on_when_another_is_closed"""

    lost = False

    def read(self):
        return [] if OneForAll.lost else super().read()

    def close(self):
        OneForAll.lost = True
        super().close()


# --- watching


class UsesKeysAgain(Right):
    """test_a_key_that_ended_is_never_used_again"""

    def __init__(self):
        super().__init__()
        self.keys = {}

    def watch(self, path, interest=7):
        own = super().watch(path, interest)
        free = (key for key in itertools.count(1) if key not in self.keys)
        key = next((key for key, known in self.keys.items() if known == own), None) or next(free)
        self.keys[key] = own
        return key

    def unwatch(self, key):
        super().unwatch(self.keys.pop(key, None))


class HasOneKeyForAll(Right):
    """test_each_thing_has_a_key_of_its_own"""

    def watch(self, path, interest=7):
        super().watch(path, interest)
        return 1


class RaisesWhenUnwatchedTwice(Right):
    """test_unwatching_twice_is_harmless"""

    def __init__(self):
        super().__init__()
        self.keys = set()

    def watch(self, path, interest=7):
        key = super().watch(path, interest)
        self.keys.add(key)
        return key

    def unwatch(self, key):
        self.keys.remove(key)
        super().unwatch(key)


class UnwatchesNothing(Right):
    """test_what_is_unwatched_is_told_of_no_more"""

    def unwatch(self, key):
        pass


class FollowsLinks(Right):
    """test_a_link_is_not_followed"""

    def watch(self, path, interest=7):
        return super().watch(os.path.realpath(path), interest)


class KnowsOnlyText(Right):
    """test_paths_with_odd_names_are_watched"""

    def watch(self, path, interest=7):
        path.encode("utf-8")
        return super().watch(path, interest)


class RefusesWithoutTheName(Right):
    """test_a_missing_path_is_refused_as_by_the_system"""

    def watch(self, path, interest=7):
        try:
            return super().watch(path, interest)
        except OSError as error:
            raise OSError(error.errno, error.strerror) from None


class WatchesWhatIsNotThere(Right):
    """test_a_missing_path_is_refused_as_by_the_system"""

    def watch(self, path, interest=7):
        try:
            return super().watch(path, interest)
        except OSError:
            return path


# --- reading


class WaitsInRead(Right):
    """test_reading_never_waits"""

    def read(self):
        select.select([self.fileno()], [], [])
        return super().read()


class IsNeverReadable(Right):
    """test_its_descriptor_is_readable_when_there_is_something_to_read"""

    def __init__(self):
        super().__init__()
        self.never, self.end = os.pipe()

    def fileno(self):
        return self.never


class IsAlwaysReadable(IsNeverReadable):
    """test_its_descriptor_is_readable_when_there_is_something_to_read"""

    def __init__(self):
        super().__init__()
        os.write(self.end, b"x")


class IsPolledAndSaysNothingOfIt(Right):
    """test_who_is_polled_says_how_late_that_makes_it"""

    def fileno(self):
        return None


class ReadsAll(Right):
    """test_one_read_brings_a_bounded_number"""

    def read(self):
        changes = []
        while more := super().read():
            changes += more
        return changes


# --- changes


class LosesSomeInSilence(Right):
    """test_thousands_of_changes_are_told_or_a_look_is_asked_for"""

    numbers = itertools.count(1)

    def read(self):
        changes = super().read()
        return [each for each in changes if each.key is not None and next(self.numbers) % 10]


class SaysNothingOfAnOverflow(Right):
    """test_thousands_of_files_at_once_are_told"""

    def read(self):
        changes = super().read()
        return [each for each in changes if each.kind is not Kind.RESCAN and each.name != "123"]


class TellsWrongNames(Right):
    """test_an_entry_is_told_of_as_it_comes_and_goes"""

    def read(self):
        return [each._replace(name=each.name.upper()) for each in super().read()]


class TellsTheEndTwice(Right):
    """test_what_goes_is_gone_once"""

    def read(self):
        for each in super().read():
            yield each
            if each.kind is Kind.GONE:
                yield each


class TellsNoEnd(Right):
    """test_what_goes_is_gone_once"""

    def read(self):
        return [each for each in super().read() if each.kind is not Kind.GONE]


class HasOneCookie(Right):
    """test_the_halves_of_a_rename_have_a_cookie_of_their_own"""

    def read(self):
        return [each._replace(cookie=min(each.cookie, 1)) for each in super().read()]


class LeavesOutWhatIsUndone(Right):
    """test_what_is_undone_at_once_is_told_in_order"""

    def read(self):
        changes = super().read()
        gone = {each.name for each in changes if each.kind is Kind.DELETED}
        return [each for each in changes if each.name not in gone]


class ComparesTwoLooks(Right):
    """test_what_is_undone_at_once_is_told_or_a_look_is_asked_for"""

    capabilities = Right.capabilities & ~Capability.EACH

    def read(self):
        changes = super().read()
        gone = {each.name for each in changes if each.kind is Kind.DELETED}
        return [each for each in changes if each.name not in gone]


class ComparesNamesAlone(Right):
    """test_what_is_undone_at_once_is_told_or_a_look_is_asked_for"""

    capabilities = Right.capabilities & ~Capability.EACH

    def read(self):
        changes = super().read()
        gone = {each.name for each in changes if each.kind is Kind.DELETED}
        back = {each.name for each in changes if each.kind is Kind.CREATED and each.cookie}
        return [each for each in changes if each.name not in gone & back]


class TellsBackwards(Right):
    """test_each_change_of_a_burst_is_told_once_and_in_order"""

    def read(self):
        return reversed(list(super().read()))


class SaysNothingOfWrites(Right):
    """test_a_write_to_an_entry_is_told"""

    def read(self):
        return [each for each in super().read() if each.kind is not Kind.CHANGED]


class DecodesAsItLikes(Right):
    """test_names_are_told_as_fsdecode_gives_them"""

    def read(self):
        said = super().read()
        return [each._replace(name=os.fsencode(each.name).decode("latin-1")) for each in said]


# --- it takes others with it


class EndsTheInterpreter(Right):
    """test_unwatching_twice_is_harmless"""

    def unwatch(self, key):
        signal.raise_signal(signal.SIGSEGV)


class NeedsALibraryToBeImported(Right):
    """test_it_is_imported_where_nothing_is_that_it_needs"""

    at_import = "import ctypes; ctypes.CDLL('libc.so.6')"


WRONG = [*Right.__subclasses__(), *IsNeverReadable.__subclasses__()]
Right.name = "right"
for wrong in WRONG:
    wrong.name = wrong.__name__.lower()
