"""The pytest items of any API: collected where a project has none of its own."""
