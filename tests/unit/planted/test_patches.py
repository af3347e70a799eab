"""The planted bugs fit the code as it is: one that no longer does would prove nothing."""

from pathlib import Path
from typing import Final

import pytest

from planted.patches import Bug, DoesNotApply, every_bug, planted

ROOT: Final = Path(__file__).parents[3]


@pytest.mark.parametrize("bug", every_bug(), ids=lambda bug: bug.name)
def test_a_patch_applies_and_what_it_makes_is_still_a_program(bug: Bug) -> None:
    files = planted(bug, ROOT)

    assert files
    for path, text in files.items():
        assert text != path.read_text()
        if path.suffix == ".py":
            compile(text, path, "exec")


def test_a_patch_of_what_is_not_there_says_so() -> None:
    bug = Bug(
        name="gone", what="", patch="--- a/LICENSE\n+++ b/LICENSE\n@@ -1 +1 @@\n-No such line\n+Another\n"
    )

    with pytest.raises(DoesNotApply, match="LICENSE"):
        planted(bug, ROOT)
