"""What the tests start beside them ends with them."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.fixtures.watching import has_ended, wait_for

STARTS_ONE = """
import subprocess, sys
from tests.fixtures.servers import ending_with_us

print(subprocess.Popen(ending_with_us([sys.executable, "-c", "print('up', flush=True); import time; time.sleep(120)"])).pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="only Linux can end a process with its parent, by its setpriv"
)
def test_a_server_ends_when_the_tests_are_killed():
    tests = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with tests:
        assert tests.stdout is not None
        told = sorted(tests.stdout.readline().strip() for _ in range(2))  # both write there, in any order
        server = int(told[0])
        assert told[1] == "up"
        os.kill(tests.pid, signal.SIGKILL)
    wait_for(lambda: has_ended(server), "the server goes on")
