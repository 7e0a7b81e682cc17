//! What is mounted where, as `/proc/self/mountinfo` has it.

use std::path::{Path, PathBuf};

/// The mounts that this process sees, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Mounts(Vec<Mount>);

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// What of its file system is shown: `/`, or a folder or a file in it.
    pub(super) root: PathBuf,
    /// Where it is shown.
    pub(super) point: PathBuf,
    /// The kind of its file system: `ext4`.
    pub(super) kind: String,
    /// Options of the file system: `rw,memory`.
    pub(super) options: String,
}

impl Mounts {
    /// Those of now.
    pub(crate) fn now() -> Mounts {
        let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        Mounts::parse(&String::from_utf8_lossy(&text))
    }

    /// `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw`: any number of fields stand before the dash.
    pub(super) fn parse(mountinfo: &str) -> Mounts {
        let mount = |line: &str| {
            let (of_mount, of_system) = line.split_once(" - ")?;
            let (mut of_mount, mut of_system) = (of_mount.split(' ').skip(3), of_system.split(' '));
            Some(Mount {
                root: unescaped(of_mount.next()?),
                point: unescaped(of_mount.next()?),
                kind: of_system.next()?.to_owned(),
                options: of_system.nth(1).unwrap_or_default().to_owned(),
            })
        };
        Mounts(mountinfo.lines().filter_map(mount).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.0.iter()
    }

    /// Whether something is mounted at this very path: a file that a container was given by itself, most often.
    pub(crate) fn has_point(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| self.0.iter().any(|mount| mount.point == path))
    }

    /// Whether the files at this path, by its full name, are kept in memory.
    pub(super) fn is_in_memory(&self, path: &Path) -> bool {
        let around = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        // Of several at one point, the last one is seen.
        let innermost = around.max_by_key(|mount| mount.point.components().count());
        innermost.is_some_and(|mount| matches!(mount.kind.as_str(), "tmpfs" | "ramfs"))
    }
}

/// Blanks, tabs, line breaks and backslashes are written as `\040`.
fn unescaped(field: &str) -> PathBuf {
    let mut parts = field.split('\\');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => path.extend([&char::from(code).to_string(), &part[3..]]),
            None => path.extend(["\\", part]),
        }
    }
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDORA: &str = r"23 1 0:21 / / rw,relatime shared:1 - btrfs /dev/vda3 rw,subvol=/root
31 23 0:28 / /tmp rw,nosuid,nodev shared:14 - tmpfs tmpfs rw,size=8G
40 31 253:1 / /tmp/deep rw - ext4 /dev/vdb rw
41 23 253:1 /results/r\0401.csv /data/r\0401.csv rw,relatime shared:2 master:3 - ext4 /dev/vdb rw
";

    #[test]
    fn the_innermost_mount_tells_whether_files_are_kept_in_memory() {
        let mounts = Mounts::parse(FEDORA);
        for (path, expected) in
            [("/tmp", true), ("/tmp/a/b", true), ("/tmp/deep/x", false), ("/tmpfs", false), ("/", false)]
        {
            assert_eq!(mounts.is_in_memory(Path::new(path)), expected, "{path}");
        }
        assert!(!Mounts::default().is_in_memory(Path::new("/tmp")));
    }

    #[test]
    fn a_mount_of_one_file_has_its_name_with_blanks() {
        let mounts = Mounts::parse(FEDORA);
        let last = mounts.iter().last().expect("a mount");
        assert_eq!((last.point.to_str(), last.root.to_str()), (Some("/data/r 1.csv"), Some("/results/r 1.csv")));
        assert_eq!((last.kind.as_str(), last.options.as_str()), ("ext4", "rw"));
    }
}
