#!/usr/bin/env python
"""Cut the icons we use out of Bootstrap Icons' sprite into ``static/img/icons.svg``.

    npm pack bootstrap-icons@1.13.1 && tar xzf bootstrap-icons-1.13.1.tgz
    python scripts/build_icons.py package/bootstrap-icons.svg

Looks through templates and Python for ``{% icon "name" %}``, ``#name`` in scripts and the names
in ``careregistry/icons.txt`` (those that are chosen at run time). The licence is kept beside it.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def used() -> set[str]:
    names = set((ROOT / "careregistry/icons.txt").read_text().split())
    for template in ROOT.glob("templates/**/*.html"):
        names |= set(re.findall(r'{%\s*icon\s+"([a-z0-9-]+)"', template.read_text()))
    return names


def main(source: Path) -> None:
    sprite = source.read_text()
    symbols = {
        match[1]: match[0]
        for match in re.finditer(r'<symbol[^>]*id="([a-z0-9-]+)".*?</symbol>', sprite, re.S)
    }
    wanted = sorted(used())
    if missing := [name for name in wanted if name not in symbols]:
        sys.exit(f"Not in Bootstrap Icons: {', '.join(missing)}")
    body = "\n".join(re.sub(r"\s+", " ", symbols[name]) for name in wanted)
    target = ROOT / "static/img/icons.svg"
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n')
    shutil.copy(source.parent / "LICENSE", ROOT / "static/img/icons.LICENSE")
    print(f"{len(wanted)} icons, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
