"""A yardstick: scenes brought to their visits and a JSON body for each, by Polars.

usage: polars_prepare.py FOLDER csv|parquet OUT

It has the easier task: a 64-bit hash of the scene's key stands where a UUID belongs, the session has no id at all, and
nothing is checked.
"""

import sys

import polars as pl

folder, form, out = sys.argv[1:]


def export(name):
    if form == "csv":
        return pl.scan_csv(f"{folder}/{name}.csv", infer_schema=False)
    return pl.scan_parquet(f"{folder}/{name}.parquet")


def seconds(column):
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s")


scene = pl.struct(pl.col("scene_id").hash().cast(pl.String).alias("scene_uid"), "task_code")
# Sorted, as the streaming engine keeps no order within a group, and a body must be the same on every run.
scenes = export("scenes").sort("scene_id").group_by("visit_id").agg(scene.alias("scenes"))
visits = export("visits").with_columns(seconds("start_time"), seconds("end_time"))
body = pl.struct(pl.all()).struct.json_encode().alias("body")
visits.join(scenes, on="visit_id", how="left").select(body).sink_parquet(out, compression="uncompressed")
