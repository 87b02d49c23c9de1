"""The words by which a case of `tenant` names its steps, and its judgement finds them."""

KEY = "tenant"
FIRST = "first"
FOREIGN, ABSENT, HOME, AWAY = "foreign", ("absent-1", "absent-2"), "home", "away"
OTHER, UNKNOWN, OWN = "other", ("unknown-1", "unknown-2"), "own"
PLACE, PAIR, SWAP = "place", "pair", "swap"
