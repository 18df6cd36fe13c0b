#!/usr/bin/env python3
"""Write ``.env`` from ``.env.example`` with fresh keys. Never touches one that exists."""

import os
import re
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def with_fresh_keys(example: str) -> str:
    return re.sub(
        r"^(SECRET_KEY|HISTORY_KEY|PUSH_KEY)=$",
        lambda line: f"{line[1]}={secrets.token_hex(32)}",
        example,
        flags=re.MULTILINE,
    )


def main() -> None:
    words = with_fresh_keys((ROOT / ".env.example").read_text(encoding="utf-8"))
    new = os.open(ROOT / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(new, "w", encoding="utf-8") as env:
        env.write(words)
    print("Wrote .env with fresh keys")


if __name__ == "__main__":
    main()
