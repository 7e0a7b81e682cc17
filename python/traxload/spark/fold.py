"""Keys as text, folded so that all that may belong to one visit have the same fold.

Buckets are made of folds. So a fold has to be coarser than every rule of the program about keys: what it takes for one key
(in whatever type a column has it), and what it takes for nearly one (`near_key`). It may be coarser than needed: then visits
share a bucket, and nothing else. No id is made from a fold, and it is never shown.

What stays of a key are its letters in lower case and its digits, but for every zero and every "t": so zeros in front,
fractions of zeros, and times at midnight, blanks, braces and hyphens tell no keys apart. A Salesforce id of 18 characters
becomes that of 15. Most keys are folded a column at a time by Arrow; the others one by one.
"""

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

_DROPPED = "[^a-su-z1-9]+"

# What Arrow cannot fold alone: other than plain characters, and what may be a Salesforce id of 18.
_SALESFORCE = "(?:^|[^a-z0-9])0*[a-z0-9]{15}[a-z0-5]{3}(?:$|[^a-z0-9])"
_BY_ITSELF = "[^ -~\t]|" + _SALESFORCE

# Letters by Unicode that have no shape.
_FILLERS = "\u115f\u1160\u3164\uffa0"

_WORD = re.compile("[a-z0-9]+")
_SUFFIX = "abcdefghijklmnopqrstuvwxyz012345"


def key_text(column):
    """The cells of a key column as the program reads them, as near as a fold needs. None where there is none."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_floating(kind):
        # What is no exact whole number is a problem of its row, whatever bucket it is in.
        column = column.cast(pa.float64())
        is_whole = pc.and_(pc.less(pc.abs(column), 2.0**53), pc.equal(pc.floor(column), column))
        column = pc.if_else(is_whole, column, None).cast(pa.int64())
    elif pa.types.is_decimal(kind):
        # Zero is 0E-18 there.
        return pc.replace_substring_regex(column.cast(pa.string()), "E.*", "")
    elif pa.types.is_timestamp(kind):
        column = pc.floor_temporal(column.cast(pa.timestamp("us")), unit="second")
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:  # Some of it is no UTF-8.
            return pa.array([cell and cell.decode(errors="replace") for cell in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def folds(texts, separator):
    """The folds of keys, from the texts of their columns. None where a part of a key is null or empty."""
    texts = [pc.if_else(pc.equal(text, ""), None, text) for text in texts]
    keys = pc.binary_join_element_wise(*texts, separator) if len(texts) > 1 else texts[0]
    lower = pc.ascii_lower(keys)
    plain = pc.replace_substring_regex(lower, _DROPPED, "")
    by_itself = pc.fill_null(pc.match_substring_regex(lower, _BY_ITSELF), False)
    if not pc.any(by_itself).as_py():
        return plain
    odd = pa.array([fold(key) for key in pc.filter(keys, by_itself).to_pylist()], pa.string())
    return pc.replace_with_mask(plain, by_itself, odd)


def fold(key):
    """The fold of any key."""
    for _ in range(4):  # One step of Unicode may make another one necessary.
        before = key
        key = "".join(map(_shape, unicodedata.normalize("NFKD", key).upper().casefold()))
        if key == before:
            break
    key = _WORD.sub(lambda word: _salesforce_15(word[0]), key)
    return "".join(c for c in key if c.isalnum() and c not in "0t")


def _shape(c):
    """A letter or a digit; nothing for what has no shape of its own; a blank for the rest."""
    kind = unicodedata.category(c)
    if kind[0] in "LN" and c not in _FILLERS:
        return c
    return "" if kind[0] in "MC" and c not in "\t\n\v\f\r\x85" or c in _FILLERS else " "


def _salesforce_15(word):
    """The first 15 characters of a Salesforce id of 18, whose last three say which letters are upper case."""
    for word_18 in (word, word.lstrip("0")):
        says = [_SUFFIX.find(c) for c in word_18[15:]]
        if len(word_18) == 18 and all(
            bits >= 0 and all(word_18[5 * five + at].isalpha() for at in range(5) if bits >> at & 1)
            for five, bits in enumerate(says)
        ):
            return word_18[:15]
    return word
