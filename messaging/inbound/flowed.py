"""Text in ``format=flowed``: RFC 3676."""

import re

SIGNATURE = "-- "
_MARKS = re.compile(r"^>*")


def unfolded(text: str, is_blank_dropped: bool) -> str:
    """``text`` with each paragraph in one line again. Where ``is_blank_dropped`` (DelSp), the blank
    at the end of a folded line is no part of its words."""
    paragraphs, open_marks = [], None  # the marks of a paragraph that goes on
    for line in text.split("\n"):
        marks = _MARKS.match(line)[0]
        words = line.removeprefix(marks).removeprefix(" ")  # a blank is stuffed before some
        is_folded = words.endswith(" ") and words != SIGNATURE
        kept = words[:-1] if is_folded and is_blank_dropped else words
        if marks == open_marks and words != SIGNATURE:
            paragraphs[-1].append(kept)
        else:
            paragraphs.append([f"{marks} {kept}" if marks else kept])
        open_marks = marks if is_folded else None
    return "\n".join(map("".join, paragraphs))
