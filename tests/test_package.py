"""What importing the program sets."""

import os
import subprocess
import sys

import pytest

CODE = "import visualizer, numpy, psutil; print(psutil.Process().num_threads())"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="numpy need not come with OpenBLAS elsewhere")
@pytest.mark.parametrize(
    ("setting", "n_threads"), [({}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, min(2, os.cpu_count() or 1))]
)
def test_numpy_multiplies_on_one_thread_unless_the_user_sets_another_number(setting, n_threads):
    others = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", CODE], env={**others, **setting}, capture_output=True, check=True)
    assert int(done.stdout) == n_threads
