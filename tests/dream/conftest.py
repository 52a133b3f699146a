"""What the dream's tests share: weights loaded once, small pictures, the CPU in float32."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from visualizer.dream.device import Compute, load_torch
from visualizer.dream.weights import load_weights
from visualizer.resources import shipped

load_torch()  # as the program loads it: with patient threads, before a test module imports it plainly
import torch  # noqa: E402


@pytest.fixture(scope="session")
def weights() -> dict[str, torch.Tensor]:
    return load_weights()


@pytest.fixture(scope="session")
def cpu() -> Compute:
    return Compute(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="session")
def cloudscape() -> np.ndarray:
    """The default preset's image, small: (90, 160, 3) uint8."""
    with Image.open(shipped("presets") / "clouds" / "image.jpg") as image:
        return np.asarray(image.convert("RGB").resize((160, 90), Image.Resampling.LANCZOS))
