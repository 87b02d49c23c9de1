"""The API stack that the harness is proven on: contract first, on Starlette, msgspec and SQLite."""
