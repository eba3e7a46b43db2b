"""A server of weights, for the tests that download."""

from tests.models.downloads import caches, from_sources, published, server  # noqa: F401
