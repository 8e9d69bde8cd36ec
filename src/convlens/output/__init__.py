"""What a lens is written as: figures, pictures, pages and source code."""
