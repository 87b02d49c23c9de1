"""What stands between the socket and the procedures: each layer one file, in the order application.py builds them."""
