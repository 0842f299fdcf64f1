"""What a line of Markdown begins, told by its first characters."""

from __future__ import annotations

import re

from tui.widgets.markdown_boxes import ITEM, QUOTE

FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
ROW = re.compile(r"^ {0,3}\|.*\|")
UNDECIDED = re.compile(r"^[ >]*(?:[-*_=+#~`|: ]{0,80}|\d{1,9}[.)]?|[-*+] \[?[ xX]?\]?)$")


def ends_paragraph(rest: str, *, in_list: bool) -> bool:
    """True for a line that ends an open paragraph: outside lists a number begins an item only when it is 1."""
    item = ITEM.match(rest)
    if item is not None and len(item["lead"]) < 4 and rest[item.end() :].strip():
        marker = item["marker"]
        if in_list or not marker[0].isdigit() or int(marker[:-1]) == 1:
            return True
    return any(kind.match(rest) for kind in (QUOTE, HEADING, FENCE, RULE, ROW))
