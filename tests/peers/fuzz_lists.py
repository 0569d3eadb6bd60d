"""Random restriction lists beside Debian's smtpd, as root: ``python -m tests.peers.fuzz_lists --count 50000``."""

import argparse
import random
import sys
import time

from . import beside


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="dialogues")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the first world")
    options = parser.parse_args()
    start = time.monotonic()
    found = said = 0
    for world in range(options.seed, options.seed + -(-options.count // beside.OF_A_WORLD)):
        for text in beside.differences(world):
            found += 1
            sys.stdout.write(f"{text}\n")
        said += beside.OF_A_WORLD
        sys.stdout.write(f"world {world}: {said} dialogues, {found} differences, {time.monotonic() - start:.0f} s\n")
        sys.stdout.flush()
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    _main()
