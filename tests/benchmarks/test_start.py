"""What a process says of its imports, added up."""

from benchmarks.start import by_package

LOG = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |   zipimport
import time:   1500000 |    2000000 |     tfx.types.channel
noise
import time:    500000 |     500000 | tfx
"""


def test_seconds_are_those_of_a_packages_own_modules():
    seconds, modules = by_package(LOG)
    assert seconds == {"tfx": 2.0, "zipimport": 0.0001}
    assert modules == {"tfx": 2, "zipimport": 1}
