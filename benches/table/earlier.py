"""The stages with result files of earlier runs: what it costs to look into them, in time and in memory."""

import hashlib
import json
import random
import shutil
import uuid

from measuring import Failed, Spread, alternate, once, peak, raw, say, seconds, size, times, walls
from preparing import check

FILES = 1000
# As in jobs/nightly.toml.
BASE_URL, PROJECT = "http://127.0.0.1:8197", "table"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, f"{BASE_URL}/{PROJECT}")
TODAY = "2024-12-31"
HEADER = ("visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,store_number,visit_date,"
          "scenes,payload_sha256,source\n")


def night(folder, exports):
    """A folder to run jobs/nightly.toml in."""
    folder.mkdir()
    for name in ("visits.csv", "scenes.csv"):
        (folder / name).symlink_to(exports / name)
    (folder / "results").mkdir()
    return folder


def check_night(bench, folder, options=()):
    return check(bench, folder, "nightly", ["--date", TODAY, *options])


def manifest(results):
    """What says whose visits a result file shows."""
    said = {"job": "nightly.toml", "base_url": BASE_URL, "project": PROJECT, "namespace": str(NAMESPACE), "ids_version": 5,
            "format": 2}
    results.with_name(results.name + ".json").write_text(json.dumps(said))


def row(key, session, status, store, day, digest):
    http_status, attempts = ("200", 1) if status == "uploaded" else ("", 0)
    return (f"{key},{session},{status},{http_status},,,{attempts},212,2024-03-05T08:00:00.000Z,{store},{day},8,{digest},"
            f"exports/visits.csv:{key[1:]}\n")


def as_uuid(digits):
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def delivered(bench, folder, every=2):
    """Rows of one in `every` of today's visits, as they were delivered before; one in ten has changed since."""
    bodies = bench.work / "bodies.jsonl"
    check_night(bench, folder, ["--payloads", bodies])
    with open(bodies, "rb") as file:
        for number, body in enumerate(file):
            if number % every:
                continue
            body = body.rstrip(b"\n")
            said = json.loads(body)
            key = said["client_session_uid"]
            digest = hashlib.sha256(body + (b"changed" if number // every % 10 == 0 else b"")).hexdigest()
            yield key, uuid.uuid5(NAMESPACE, key), said["store_number"], said["visit_date"], digest
    bodies.unlink()


def write_earlier(bench, folder, rows):
    """So many rows in files of as many nights, nearly all of them of other visits. A visit of today is in three of the last
    files, as it is where exports overlap."""
    chance = random.Random(7)
    today = list(delivered(bench, folder))
    each = rows // FILES
    for number in range(FILES):
        results = folder / f"results/nightly-{2000 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}.csv"
        with open(results, "w") as file:
            file.write(HEADER)
            left = each
            if number >= FILES - 9:
                # Three nights for each third of them.
                for key, session, store, day, digest in today[number % 3 :: 3][:left]:
                    status = "uploaded" if number < FILES - 6 else "already_received"
                    file.write(row(key, session, status, store, day, digest))
                    left -= 1
            for at in range(left):
                digits = chance.randbytes(48).hex()
                day = f"2023-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
                file.write(row(f"W{number * each + at:09}", as_uuid(digits), "uploaded", 100050000000000 + at, day, digits[32:]))
        manifest(results)


def earlier(bench):
    """A night with the result files of a thousand nights before it, and without; and the same files read with the csv crate."""
    exports, folder = bench.exports("few"), bench.emptied("nights")
    without, after = night(folder / "first", exports), night(folder / "last", exports)
    rows = 4 * bench.visits
    say(f"  writing {FILES} result files")
    write_earlier(bench, after, rows)
    bare = ["cargo", "bench", "--quiet", "--locked", "--bench", "bare_csv"]
    once([*bare, "--no-run"], cwd=bench.here)

    def looked():
        done = check_night(bench, after)
        if "delivered" not in done.out + done.said:
            raise Failed(f"nothing was found in earlier files: {done.said}")
        return done

    found = alternate({
        "without": lambda: check_night(bench, without),
        "with": looked,
        "csv": lambda: float(once([*bare, "--", after / "results"], cwd=bench.here).out),
    }, bench.repetitions)
    added = walls(found["with"]).median - walls(found["without"]).median
    reading = Spread([rows / rate for rate in found["csv"]])
    return {
        "title": f"A night after {FILES:,} others, with {rows / 1e6:g} M result rows",
        "lines": [
            ["the csv crate, reading them in one thread", reading.written(seconds), "", "1"],
            ["traxload check", walls(found["with"]).written(seconds), size(peak(found["with"])), ""],
            ["the same without earlier files", walls(found["without"]).written(seconds), size(peak(found["without"])), ""],
            ["what the earlier files add", seconds(added), "", f"{times(added / reading.median)} of the csv crate's"],
        ],
        "raw": {"csv_rows_per_second": found["csv"]} | {name: raw(found[name]) for name in ("with", "without")},
    }
