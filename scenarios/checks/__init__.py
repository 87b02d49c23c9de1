"""Tests that tell of those items of the review checklist which no promise shows, by document, source and deployment."""
