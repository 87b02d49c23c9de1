"""`python -m reference_impl`."""

from reference_impl.commands import main

main()
