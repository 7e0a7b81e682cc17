//! The columns that `key=value` folders on the way to a file add to it, as Hive and Spark write them.

use std::path::{Component, Path};

/// The value that a folder `column=value` on the way to a file gives to all its rows. The nearest folder counts. Keys and
/// values are percent-decoded. Hive writes `__HIVE_DEFAULT_PARTITION__` for null, which is an empty value here.
pub(super) fn folder_value(path: &Path, column: &str) -> Option<String> {
    let folders = path.parent()?.components();
    folders.rev().find_map(|folder| {
        let (key, value) = key_and_value(folder)?;
        (percent_decoded(key) == column).then(|| match value {
            "__HIVE_DEFAULT_PARTITION__" => String::new(),
            value => percent_decoded(value),
        })
    })
}

/// The names of the columns that folders on the way to a file add.
pub(super) fn folder_columns(path: &Path) -> Vec<String> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    folders.filter_map(|folder| key_and_value(folder).map(|(key, _)| percent_decoded(key))).collect()
}

fn key_and_value<'p>(folder: Component<'p>) -> Option<(&'p str, &'p str)> {
    let Component::Normal(folder) = folder else { return None };
    folder.to_str()?.split_once('=')
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let decoded =
            hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match decoded.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_values_are_percent_decoded_and_hive_null_is_empty() {
        let path = Path::new("x/region=S%C3%A3o%20Paulo/day=__HIVE_DEFAULT_PARTITION__/a=b=100%/f.csv");
        assert_eq!(folder_value(path, "region").as_deref(), Some("São Paulo"));
        assert_eq!(folder_value(path, "day").as_deref(), Some(""));
        assert_eq!(folder_value(path, "a").as_deref(), Some("b=100%"));
        assert_eq!(folder_value(path, "f"), None);
        assert_eq!(folder_columns(path), ["region", "day", "a"]);
    }
}
