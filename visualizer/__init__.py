"""DeepDream pictures that deepen on every kick of your music."""

import os

__version__ = "0.1.0"

# The threads of OpenBLAS, which numpy multiplies with, spin while they wait for each other: on a busy machine the
# analyzer takes four times the processor time with two threads that it takes with one. It is read as numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
