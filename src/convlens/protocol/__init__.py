"""What is sent between Python and the browser."""
