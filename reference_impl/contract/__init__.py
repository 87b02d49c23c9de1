"""Procedures, their types, and the OpenAPI document that is rendered from them."""
