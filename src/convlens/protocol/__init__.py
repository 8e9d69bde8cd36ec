"""What crosses between Python and the browser."""
