"""The shop under load: `locust -f scenarios/load/journey.py --host URL --headless -u 100 -r 100 -t 30s`."""

from __future__ import annotations

from harness.load.user import TimetableUser
from scenarios.load.ground import set_up as prepare
from scenarios.load.routes import ROUTES


class Customer(TimetableUser):
    """Walks the shop, an account and now and then the back office; by hand each user adds one request a second."""

    routes = ROUTES
    set_up = staticmethod(prepare)
