"""The shop under load: `locust -f scenarios/load/journey.py --host URL --headless -u 100 -r 100 -t 30s`."""

from __future__ import annotations

from harness.load.user import TimetableUser
from scenarios.load.shop import ROUTES
from scenarios.load.shop import set_up as prepare


class Customer(TimetableUser):
    """Browses, reads and orders; by hand each Locust user adds one request a second."""

    routes = ROUTES
    set_up = staticmethod(prepare)
