"""The published networks, a file each: its facts and how it is built, see `networks.NetworkInfo`. Nothing else lies in
this folder.
"""

# networks.py imports every file here, and every file here imports networks.py: it must be networks.py that begins
from ... import networks

__all__ = ["networks"]
