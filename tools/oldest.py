"""Prints pip constraints that pin each requirement of pyproject.toml to the oldest version that it allows.

What those packages themselves require is not pinned: pip chooses it.
"""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def oldest(project: dict) -> list[str]:
    """The constraints, one for each requirement. project: the table [project] of pyproject.toml.

    Raises ValueError for a requirement without a version, or with anything but one `>=` or `==`.
    """
    asked = {*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)}
    found = []
    for requirement in sorted(asked):
        if requirement.startswith(project["name"] + "["):  # an extra made of others
            continue
        match = re.fullmatch(r"([\w.-]+)(?:>=|==)([\w.]+)( *;.*)?", requirement)
        if match is None:
            raise ValueError(f"{PROJECT.name}: {requirement!r} has no lower bound of the form name>=version")
        found.append(f"{match[1]}=={match[2]}{match[3] or ''}")
    return found


if __name__ == "__main__":
    print("\n".join(oldest(tomllib.loads(PROJECT.read_text())["project"])))
