"""The words that cases and judgement of `delete` share: what a request is in its case."""

from __future__ import annotations

MADE, BEFORE, DELETED, REFUSED, AGAIN = "made", "before", "deleted", "refused", "deleted-again"
GONE, GONE_LATER = "gone", "gone-later"
LISTED, UNLISTED = "listed", "listed-after"
WROTE, WROTE_AFTER = "wrote", "wrote-after"
USED, USED_AFTER = "used", "used-after"
CHILD, CHILD_BEFORE, CHILD_AFTER = "child", "child-before", "child-after"
TAKEN, TAKEN_AFTER = "taken", "taken-after"
COUNTED, COUNTED_AFTER = "counted", "counted-after"
KEPT, KEPT_AGAIN, FREED = "kept", "kept-again", "freed"
RESTORED, SHOWN = "restored", "shown"
FILE, FILE_AFTER, FILE_LATER = "file", "file-after", "file-later"
