"""The floor of importing: DuckDB parses every file of a package and hashes each record twice, its id and the whole of it. Nothing is kept.

`python -m bench.import_floor FOLDER` prints wall and CPU seconds as JSON; the clock starts when the interpreter is up.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

THREADS = 2


def main(folder: Path) -> dict[str, float]:
    began, began_cpu = time.perf_counter(), time.process_time()
    with duckdb.connect() as database:
        database.execute(f"SET threads = {THREADS}")
        for file in sorted(folder.glob("*.csv")):
            if file.name != "manifest.csv":
                hashed = "min(md5(sourcedId)), min(md5(concat_ws('|', *COLUMNS(*))))"
                database.execute(
                    f"SELECT {hashed} FROM read_csv(?, header = true, all_varchar = true)", [str(file)]
                ).fetchall()
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - began_cpu}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
