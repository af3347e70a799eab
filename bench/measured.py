"""Where the programs of `bench/` find the service's own modules."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
for _part in ("src", "tests"):
    if str(ROOT / _part) not in sys.path:
        sys.path.insert(0, str(ROOT / _part))
