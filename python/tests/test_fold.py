"""Folds are coarser than every rule about keys."""

import datetime
import decimal
import random

import pyarrow as pa
import pytest

import one_machine
from traxload.spark.fold import fold, folds, key_text


def of(array, separator="-"):
    return folds([key_text(array)], separator).to_pylist()


# One key each, as systems write it.
SAME = [
    ["V003", "v003", "V003\u00a0", " V003\t", "V\u200b003", "V0\u000203", "V0\u00ad03", "\u200eV003\u200f", "Ｖ００３"],
    ["V 3", "V\u00a03", "V\u20033", "V  3"],
    ["Caf\u00e9 1", "Cafe\u0301 1", "Cafe\u200b\u0301 1", "CAF\u00c9 1"],
    ["Straße 1", "STRASSE 1", "Strasse 1"],
    ["Σίσυφος", "ΣΊΣΥΦΟΣ"],
    ["0010004", "10004", "10004.0", "0010004.00"],
    ["0", "000", "0.0"],
    ["00A12", "a12"],
    ["550e8400-e29b-41d4-a716-446655440000", "{550E8400-E29B-41D4-A716-446655440000}", "550e8400e29b41d4a716446655440000"],
    ["001A0000006Vm9r", "001A0000006Vm9rIAC", "001a0000006vm9riac", "001A0000006VM9RIAC ", "001A0000006Vm9r\u200bIAC"],
    ["a0x500000000001", "a0x500000000001AAA", "0a0x500000000001AAA"],
    ["001A0000006Vm9r-7", "001A0000006Vm9rIAC-07", "001A0000006Vm9rIAC - 7", "001A0000006Vm9rIAC－7"],
    ["1001-2024-03-05", "01001-2024-3-5", "1001.0-2024-03-05"],
]


@pytest.mark.parametrize("keys", SAME)
def test_keys_that_are_nearly_the_same_have_one_fold(keys):
    assert len(set(of(pa.array(keys)))) == 1
    assert of(pa.array(keys)) == [fold(key) for key in keys]


def test_keys_of_many_visits_have_many_folds():
    keys = [f"V{number:09}" for number in range(20_000)]
    assert len(set(of(pa.array(keys)))) > 9_000
    numbers = range(100_000_000_000_000_000, 100_000_000_000_020_000)
    assert len(set(of(pa.array(numbers)))) > 9_000


def test_a_key_has_one_fold_in_whatever_type_its_column_has():
    texts = pa.array(["1001", "0001001.00"])
    for array in [
        *(pa.array([1001], kind) for kind in (pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64())),
        pa.array(["1001"], pa.large_string()),
        pa.array([b"1001"]),
        pa.array([b"01001"], pa.large_binary()),
        pa.array([decimal.Decimal("1001")], pa.decimal128(10, 0)),
        pa.array([decimal.Decimal("1001.00")], pa.decimal128(38, 18)),
    ]:
        assert set(of(array)) == set(of(texts)), array.type
    assert of(pa.array([decimal.Decimal(0)], pa.decimal128(38, 18))) == of(pa.array([0.0])) == of(pa.array(["000"]))
    # Floats are whole numbers up to 2^53, which are never written as 1e+15.
    assert of(pa.array([1234567891234567.0])) == of(pa.array(["1234567891234567"]))


def test_days_and_moments_have_the_folds_of_their_texts():
    day, moment = datetime.date(2024, 3, 5), datetime.datetime(2024, 3, 5, 8, 12, 33, 250_000)
    midnight = datetime.datetime(2024, 3, 5)
    assert of(pa.array([day])) == of(pa.array(["2024-03-05"])) == of(pa.array([midnight]))
    text = of(pa.array(["2024-03-05T08:12:33"]))
    assert of(pa.array([moment])) == text
    utc = pa.array([moment], pa.timestamp("us")).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Europe/Paris"))
    assert of(utc) == text


def test_a_joined_key_has_the_fold_of_the_same_key_in_one_column():
    parts = [pa.array([1001]), pa.array([datetime.date(2024, 3, 5)]), pa.array([" rep 7"])]
    for separator in ("-", "|", "", "·", "x0T"):
        one = pa.array([separator.join(["001001", "2024-03-05", "Rep 7"])])
        assert folds([key_text(part) for part in parts], separator).to_pylist() == of(one)


def test_a_row_without_a_key_has_no_fold():
    parts = [pa.array(["a", "a", None, "a"]), pa.array(["b", "", "b", None])]
    assert folds([key_text(part) for part in parts], "-").to_pylist() == ["ab", None, None, None]
    assert of(pa.nulls(2)) == of(pa.array([True, None])) == [None, None]
    assert of(pa.array([b"a\xff", None])) == [fold("a\ufffd"), None]


def test_what_the_program_finds_near_has_one_fold(tmp_path):
    """Random keys and slips of all kinds, in an order of their own on each: the program says which are near."""
    chance = random.Random(7)
    letters = "abXYZ019é ßΣς\u00a0-.{}"
    unseen = "\u00a0\u200b\ufeff\u00ad\u007f\u202e \t"

    def slip(key):
        kind = chance.randrange(9)
        at = chance.randrange(len(key) + 1)
        return [
            key.upper(), key.lower(), key.title(), "0" + key, key + ".0", key[:at] + chance.choice(unseen) + key[at:],
            key.replace("-", " - "), key.replace("é", "e\u0301"), key.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)}),
        ][kind]  # fmt: skip

    keys = {}
    for number in range(6_000):
        shape = chance.randrange(4)
        if shape == 0:
            key = "".join(chance.choices(letters, k=chance.randint(1, 6))) + f"n{number}"
        elif shape == 1:
            key = f"{'0' * chance.randrange(3)}{number + 1}-{chance.randrange(50)}"
        elif shape == 2:
            key = "".join(chance.choices("0123456789abcdef", k=32))
            key = "{" + "-".join([key[:8], key[8:12], key[12:16], key[16:20], key[20:]]) + "}" if number % 2 else key
        else:
            key = salesforce(chance)
            key = key if number % 3 else key[:15]
        keys.setdefault(fold(key), key)
    other = {}
    for key in keys.values():
        near = slip(key)
        for _ in range(chance.randrange(3)):
            near = slip(near)
        if len(key) >= 18 and key.isalnum() and chance.random() < 0.5:
            near = key[:15]
        other[key] = near
    visits = pa.table({"visit": list(other), "store": ["7"] * len(other), "started": [1709712000] * len(other)})
    scenes = pa.table({"visit": list(other.values()), "photo": ["1"] * len(other)})
    near = [row[0] for row in one_machine.prepared(tmp_path, one_machine.JOB, visits, scenes) if "near_key" in (row[7] or "")]
    by_trimmed = {key.strip(" \t"): key for key in other}
    apart = [(key, other[by_trimmed[key]]) for key in near if fold(key) != fold(other[by_trimmed[key]])]
    assert not apart
    assert len(near) > 1_500, len(near)


def salesforce(chance):
    key = chance.choice("0a5") + "".join(chance.choices("0123456789abcxyzABCXYZ", k=14))
    bits = [sum(1 << at for at, c in enumerate(key[five : five + 5]) if c.isupper()) for five in (0, 5, 10)]
    return key + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bit] for bit in bits)
