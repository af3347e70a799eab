"""What is installed is what was locked: every package by one version, with the hashes of its files."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
_ENTRY: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?$")
_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked() -> dict[str, tuple[str, str | None, list[str]]]:
    """Each package of the lock with its version, its marker and the rest of what is said of it."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    found = {}
    for entry in text.replace("\\\n", "\0").splitlines():
        what, *said = [part.strip() for part in entry.split("\0")]
        parts = _ENTRY.match(what)
        assert parts is not None, f"neither a package nor a hash: {entry[:80]!r}"
        found[canonicalize_name(parts["name"])] = (parts["version"], parts["marker"], said)
    return found


def test_every_package_has_one_version_and_hashes_and_comes_from_nowhere_in_particular() -> None:
    for name, (_version, _marker, said) in locked().items():
        assert said, name
        assert all(_HASH.fullmatch(one) for one in said), name


def test_what_is_installed_is_what_is_locked() -> None:
    wanted = {
        name: version
        for name, (version, marker, _) in locked().items()
        if marker is None or Marker(marker).evaluate()
    }
    installed = {canonicalize_name(found.metadata["Name"]): found.version for found in distributions()}

    others = {name: version for name, version in installed.items() if wanted.get(name) != version}
    assert others.keys() <= {"bayar", "pip", "setuptools"}
    assert wanted.keys() <= installed.keys()


def test_what_the_project_names_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lock = locked()

    for requirement in map(Requirement, named):
        version, _, _ = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version)
