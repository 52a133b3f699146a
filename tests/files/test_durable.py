import sys
from pathlib import Path

import pytest

from visualizer.files.durable import sync_folder


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a file system that refuses to sync folders")
def test_a_file_system_that_cannot_sync_folders_is_no_fault():
    sync_folder(Path("/proc"))
