"""The words that case and judgement of `key` share: what a request is in its case."""

KEY = "key"
NOBODY, LIVE, READ, NARROW = "nobody", "live", "live-read", "narrow"
SHORT, NOW, ENDED, ENDED_LATER = "short", "now", "ended", "ended-later"
PART = "part"
REVOKE, REVOKED = "revoke", "revoked"
