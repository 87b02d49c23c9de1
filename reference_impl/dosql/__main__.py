"""`python -m reference_impl.dosql`."""

from reference_impl.dosql.commands import main

main()
