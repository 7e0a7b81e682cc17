"""A yardstick: scenes brought to their visits and a JSON body for each, by DuckDB.

usage: duckdb_prepare.py FOLDER csv|parquet OUT [MEMORY_LIMIT]

It has the easier task: it has no UUIDv5, so its ids are SHA-1 of as many bytes, cut to 32 digits. Of all checks it makes
two, the length of the store number and the order of the times, and what fails them is dropped without a word.
"""

import sys

import duckdb

folder, form, out, *limit = sys.argv[1:]
reads = {
    "csv": "read_csv('{folder}/{name}.csv', header = true, all_varchar = true)",
    "parquet": "read_parquet('{folder}/{name}.parquet')",
}
visits, scenes = (reads[form].format(folder=folder, name=name) for name in ("visits", "scenes"))

database = duckdb.connect()
# Bodies may come out in any order, which helps it.
database.execute("SET preserve_insertion_order = false")
if limit:
    database.execute(f"SET memory_limit = '{limit[0]}'")
    database.execute(f"SET temp_directory = '{out}.spill'")
database.execute(f"""
    CREATE MACRO uid(name) AS substr(sha1('0123456789abcdef' || name), 1, 32);
    COPY (
        WITH grouped AS (
            SELECT visit_id,
                   list({{scene_uid: uid(visit_id || '/' || scene_id), task_code: task_code}} ORDER BY scene_id) AS scenes
            FROM {scenes}
            GROUP BY visit_id
        )
        SELECT to_json({{
            session_uid: uid(visit_id),
            client_session_uid: visit_id,
            store_number: store_number,
            visit_date: visit_date,
            session_start_time: epoch(start_time::TIMESTAMP)::BIGINT,
            session_end_time: epoch(end_time::TIMESTAMP)::BIGINT,
            visit_type_id: visit_type_id::INTEGER,
            email_address: user_email,
            scenes: scenes
        }}) AS body
        FROM {visits} LEFT JOIN grouped USING (visit_id)
        WHERE length(store_number) BETWEEN 1 AND 100 AND start_time <= end_time
    ) TO '{out}' (FORMAT parquet, COMPRESSION uncompressed)
""")
