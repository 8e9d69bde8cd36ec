"""What ``dev.py`` is made of; all of it runs on a bare Python 3.10 or newer."""
