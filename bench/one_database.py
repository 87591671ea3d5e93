"""The benches of one database, the one of this process's environment: `python -m bench.one_database SCALE PART…` prints rows as JSON."""

import sys

from bench import directories, importing, meanwhile, reading, scoping, syncing
from bench.rows import as_json
from bench.scales import SCALES

PARTS = {
    "reading": reading.rows,
    "importing": importing.rows,
    "meanwhile": meanwhile.rows,
    "scoping": scoping.rows,
    "syncing": syncing.rows,
    "directories": directories.rows,
}

if __name__ == "__main__":
    scale, parts = SCALES[sys.argv[1]], sys.argv[2:]
    found = [row for part in parts for row in PARTS[part](scale)]
    print(as_json(found))
