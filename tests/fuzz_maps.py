"""Random lookup tables of every kind, beside Postfix's postmap: ``python -m tests.fuzz_maps --tables 20000``."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.support.postmap import DRAWS, differs


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=5_000, help="of each kind")
    parser.add_argument("--kind", action="append", choices=sorted(DRAWS), help="these only")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    for kind in options.kind or sorted(DRAWS):
        start, draw = time.monotonic(), random.Random(options.seed)
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.tables):
                found = differs(Path(folder), DRAWS[kind](draw))
                if found:
                    sys.exit(found)
        sys.stdout.write(f"{options.tables} tables, {kind}, in {time.monotonic() - start:.0f} s\n")


if __name__ == "__main__":
    _main()
