"""Makes two exports as a field force writes them: visits, and one to fifteen scenes of each, eight on average.

usage: generate.py FOLDER VISITS [--clustered] [--single] [--csv-only]

The same arguments make the same bytes. Rows are written in pieces, so that eighty million scenes need the memory of
their order and no more.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

PIECE = 1 << 20
YEAR = (1704067200, 1735689600)  # 2024, UTC


def numbered(prefix, numbers, width):
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def written_as(form, seconds):
    return pc.strftime(pa.array(seconds.astype("datetime64[s]")), form)


def visits_from(random, first, starts):
    count = len(starts)
    ends = starts + random.integers(300, 5400, count)
    reps = pa.array(random.integers(0, 3000, count)).cast(pa.string())
    return pa.table({
        "visit_id": numbered("V", np.arange(first, first + count), 9),
        "store_number": numbered("1000500", random.integers(0, 40000, count), 8),
        "visit_date": written_as("%Y-%m-%d", starts),
        "start_time": written_as("%Y-%m-%dT%H:%M:%SZ", starts),
        "end_time": written_as("%Y-%m-%dT%H:%M:%SZ", ends),
        "visit_type_id": pa.array(random.integers(800, 806, count)),
        "user_email": pc.binary_join_element_wise("rep", reps, "@example.com", ""),
    })


def scenes_from(random, first, owners):
    count = len(owners)
    return pa.table({
        "visit_id": numbered("V", owners, 9),
        "scene_id": numbered("S", np.arange(first, first + count), 10),
        "task_code": pa.array(random.integers(1, 60, count)).cast(pa.string()),
    })


def write(folder, name, pieces, csv_only):
    """Every piece into every format."""
    writers = []
    try:
        for table in pieces:
            if not writers:
                plain = pa.csv.WriteOptions(quoting_style="needed")
                writers = [pa.csv.CSVWriter(folder / f"{name}.csv", table.schema, write_options=plain)]
                if not csv_only:
                    writers.append(pa.parquet.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd"))
            for writer in writers:
                writer.write_table(table)
    finally:
        for writer in writers:
            writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("visits", type=int)
    parser.add_argument("--clustered", action="store_true", help="the scenes of a visit next to each other")
    parser.add_argument("--single", action="store_true", help="one scene of each visit")
    parser.add_argument("--csv-only", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    starts = np.sort(random.integers(*YEAR, options.visits))
    owners = np.repeat(np.arange(options.visits, dtype=np.int32), random.integers(1, 2 if options.single else 16, options.visits))
    if not options.clustered:
        random.shuffle(owners)
    pieces = lambda rows: ((at, rows[at:at + PIECE]) for at in range(0, len(rows), PIECE))
    visits = (visits_from(random, at, piece) for at, piece in pieces(starts))
    scenes = (scenes_from(random, at, piece) for at, piece in pieces(owners))
    write(options.folder, "visits", visits, options.csv_only)
    write(options.folder, "scenes", scenes, options.csv_only)
    print(f"{options.visits} visits, {len(owners)} scenes")


main()
