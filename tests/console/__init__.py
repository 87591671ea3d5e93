"""The console: who gets in, what its pages say, how they look and work in a real browser."""
