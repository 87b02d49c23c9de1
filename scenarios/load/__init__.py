"""The load on this stack: journeys through its shop, and the Locust file that walks them."""
