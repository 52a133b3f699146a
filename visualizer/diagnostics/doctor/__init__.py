"""The doctor: checks everything a show needs, and reports for each that it works or what to do.

Importing it is cheap and needs none of the packages that may be broken.
"""

from .examination import CHECKS, Check, examine
from .finding import FAULT, OK, WARNING, Finding, as_json

__all__ = ["CHECKS", "FAULT", "OK", "WARNING", "Check", "Finding", "as_json", "examine"]
