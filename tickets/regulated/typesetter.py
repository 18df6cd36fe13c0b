"""Lays out one letter: JSON in, a PDF out, within so many seconds of computing.

    python -I typesetter.py 15

A program of its own, as nothing else can stop the typesetter when much in rare scripts keeps it
busy. ``letters`` runs it.
"""

import resource
import sys
from pathlib import Path

import typst

LAYOUT = Path(__file__).with_name("letter.typ")


def main(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    # The fonts it brings are for Latin, Greek, Cyrillic and Hebrew; for what else there is to write
    # those of the machine.
    pdf = typst.compile(
        LAYOUT.read_bytes(),
        root=LAYOUT.parent,
        font_paths=typst.Fonts(include_system_fonts=True),
        sys_inputs={"letter": sys.stdin.buffer.read().decode()},
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main(int(sys.argv[1]))
