//! Names that no reader of data folders counts as data: `_SUCCESS`, `.part-0.crc` and their like.

/// Whether a file or folder of this name is passed over.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

/// Whether a pattern matched a hidden file or folder (one part of a path) that the pattern does not itself name.
pub(super) fn is_hidden_to(part: &str, pattern: &str) -> bool {
    is_hidden(part)
        && !pattern.split(['/', '\\']).any(|named| named == part || named.chars().next() == part.chars().next())
}
