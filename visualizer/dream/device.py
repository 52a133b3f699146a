"""Where the dream is computed, and in which precision."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..errors import BadInput, DreamError
from ..memory import freed_memory_kept, share_one_heap

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Compute:
    """A device the network runs on, and the type its activations have there."""

    device: torch.device
    dtype: torch.dtype
    name: str = ""  # queried once: a GPU that failed no longer answers

    def __str__(self) -> str:
        """A short description for people: "CPU, bfloat16, 2 threads"."""
        import torch

        precision = str(self.dtype).removeprefix("torch.")
        if self.device.type == "cpu":
            return f"CPU, {precision}, {torch.get_num_threads()} threads"
        return f"{self.device.type.upper()} {self.name}, {precision}"


def _cpu_computes_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AVX-512 BF16 or AMX): 6-8x float32 there, slower elsewhere."""
    import torch

    # the probes are torch's own but not public: a torch without them dreams in float32
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    native = any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)
    return native and torch.backends.mkldnn.is_available()


def load_torch() -> None:
    """Load torch, set so that its threads spin for a moment when they wait for each other, then sleep, and share one
    heap.

    By default they spin, and on a machine that also draws and plays, each wait then costs the time slice that the other
    thread needs to arrive: with two busy neighbours on two cores, a depth takes ten times longer. If they slept at
    once, each of a step's hundreds of waits would cost a wake-up: twice the time, alone on two cores. A user's own
    setting is kept.
    Raises DreamError if torch is missing or broken.
    """
    is_new = "torch" not in sys.modules
    if is_new:
        share_one_heap()  # torch starts threads as it is loaded
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read by GNU's OpenMP, on Linux, as it is loaded
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # about ten microseconds: longer than most waits
        os.environ.setdefault("KMP_BLOCKTIME", "0")  # the same for LLVM's and Intel's, on macOS and Windows
    try:
        importlib.import_module("torch")
    except (ImportError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DreamError(f"torch cannot be loaded ({reason}); reinstall it with `pip install torch==2.13.0`") from error
    if is_new:
        gc.freeze()  # torch's 165 000 objects stay: looking for garbage among them at exit takes 0.4 s


def choose_device(name: str | None = None) -> Compute:
    """The fastest device of this machine, or the one asked for ("cpu", "cuda", "cuda:1", "mps"). Raises BadInput if it
    is missing.

    Apple's GPUs compute in float32: bfloat16 is emulated on the older of them. So do CUDA GPUs without bfloat16: in
    float16 the squares of strong activations overflow, and weak gradients vanish.
    """
    load_torch()
    import torch

    has_mps = torch.backends.mps.is_available()
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInput(f"unknown device {name!r}; allowed: cpu, cuda, mps") from error
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", 0)
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": has_mps,
    }
    if not here.get(device.type, False):
        usable = ", ".join(kind for kind, usable in here.items() if usable)
        raise BadInput(f"device {name!r} is not on this machine; there is: {usable}")
    if device.type == "cuda":
        native_bf16 = torch.cuda.get_device_capability(device) >= (8, 0)
        kind = torch.cuda.get_device_name(device)
        return Compute(device, torch.bfloat16 if native_bf16 else torch.float32, kind)
    if device.type == "mps":
        return Compute(device, torch.float32, "Apple GPU")
    return Compute(device, torch.bfloat16 if _cpu_computes_bf16() else torch.float32)


@contextlib.contextmanager
def deterministic(compute: Compute) -> Iterator[None]:
    """While inside, CUDA's libraries use algorithms that give the same bits each time.

    cuDNN's benchmark would choose by timing, and perhaps another one tomorrow: a bake that continues an earlier one
    must give the same frames.
    """
    import torch

    if compute.device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


#: images above this size are computed one octave at a time, also beside a show
ONE_WORKER_PX = 10_000_000


class WorkerPlan(NamedTuple):
    """How many octaves are computed at once, and by how many threads each: those that run ahead, and the finer ones."""

    n_coarse: int
    coarse_threads: int
    n_finer: int
    finer_threads: int


def memory_kept(size: tuple[int, int]) -> AbstractContextManager[None]:
    """While inside, freed memory is kept for the next step, which needs blocks of the same sizes
    (`memory.freed_memory_kept`).

    size: (height, width) of the image: for a very large one, memory matters more than time, and nothing is changed.
    """
    return freed_memory_kept() if size[0] * size[1] <= ONE_WORKER_PX else contextlib.nullcontext()


@contextlib.contextmanager
def worker_plan(compute: Compute, size: tuple[int, int] = (0, 0), *, beside_show: bool = False) -> Iterator[WorkerPlan]:
    """How the work is divided among workers; torch's number of threads is restored on leaving.

    On a CPU two workers with half the cores each compute the coarse octaves: their hundreds of calls in a step are so
    short that all cores together would wait for each other longer than they work. Finer octaves are computed one after
    another with all cores: each is needed for the next, and their calls are long (measured in docs/decisions/0006).
    beside_show: finer octaves are divided as well, since a core that the show needs at that moment would keep all
    others waiting. size: (height, width) of the image: two steps at once of a very large one would take twice the
    memory. A GPU executes one call after another in any case.
    """
    import torch

    n_threads = torch.get_num_threads()
    if compute.device.type != "cpu" or n_threads < 2:
        yield WorkerPlan(1, n_threads, 1, n_threads)
        return
    try:
        half = n_threads // 2
        if beside_show and size[0] * size[1] <= ONE_WORKER_PX:
            yield WorkerPlan(2, half, 2, half)
        else:
            yield WorkerPlan(2, half, 1, n_threads)
    finally:
        torch.set_num_threads(n_threads)


@contextlib.contextmanager
def one_core_less() -> Iterator[None]:
    """While inside, torch's operations in this thread, and the workers planned in it, use a core less: where a show
    needs it at any moment. Raises DreamError if torch is missing or broken.
    """
    load_torch()
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(max(1, n_threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """While inside, torch's operations in this thread use no others: for many that are too short to be divided."""
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def by_threads(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """work(part) of every part, by as many threads as torch has here, each of which uses no others.

    For operations too short to be divided: the threads wait for each other once, not at every operation.
    """
    import torch

    n_threads = min(torch.get_num_threads(), len(parts))
    with one_thread():
        if n_threads == 1:
            return [work(part) for part in parts]
        is_inference = torch.is_inference_mode_enabled()  # holds for one thread, as the number of threads does

        def run(part: T) -> R:
            with torch.inference_mode(is_inference), torch.no_grad():
                return work(part)

        with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(run, parts))


def describe_device(name: str | None = None) -> str:
    """What a bake would run on, for people: "CPU, bfloat16, 2 threads". Loads torch."""
    return str(choose_device(name))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error is one of those that torch and Python raise when memory runs out."""
    import torch

    said = str(error).lower()
    # the last is the only message of oneDNN, which computes the CPU's convolutions
    signs = ("can't allocate memory", "out of memory", "bad_alloc", "not enough memory", "could not create a primitive")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in said for sign in signs)
