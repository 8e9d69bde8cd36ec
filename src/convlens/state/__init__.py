"""What one lens holds, and where its layer comes from."""
