"""The words that cases and judgements of `credentials` share: what a request is in its case."""

KEY = "credentials"
# What becomes of a token that is good for one use: traded, traded again, its successor after that, two at one instant.
TRADED, AGAIN, NEXT, AT_ONCE = "spent:traded", "spent:again", "spent:next", "spent:at-once"
# After its account was barred: the login that let it in before, and the trade of a token that it was given before.
LOGIN, OUTLIVED = "barred:login", "spent:barred"
