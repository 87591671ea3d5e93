"""Serves the floor by the very function that `rollbook serve` uses: `python -m bench.floor_server PORT WORKERS THREADS`."""

import sys

from rollbook.cli.serve import granian

if __name__ == "__main__":
    port, workers, threads = map(int, sys.argv[1:])
    granian("bench.floor_app:application", "127.0.0.1", port, workers, threads).serve()
