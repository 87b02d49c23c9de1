"""All routes, laid out so that twelve seconds at 180 requests a second hold some 28 of every operation.

20 of each are needed to judge it. A route of weight 2 is walked some 30 times; browsing, reading and ordering are most.
"""

from __future__ import annotations

from scenarios.load import account, administrator, seller, shop, writer

ROUTES = (*shop.ROUTES, *account.ROUTES, *seller.ROUTES, *writer.ROUTES, *administrator.ROUTES)
