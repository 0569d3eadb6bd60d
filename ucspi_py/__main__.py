"""python -m ucspi_py PROGRAM [ARGUMENTS]: a program without its launcher."""

import sys

from .cli.start import main

main(sys.argv[1:])
