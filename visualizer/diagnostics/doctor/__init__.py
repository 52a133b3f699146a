"""The doctor: looks at everything a show needs, and says of each thing that it is well or what to do.

Importing it costs nothing, and needs none of the packages that might be what is broken.
"""

from .examination import CHECKS, Check, examine
from .finding import FAULT, OK, WARNING, Finding, as_json

__all__ = ["CHECKS", "FAULT", "OK", "WARNING", "Check", "Finding", "as_json", "examine"]
