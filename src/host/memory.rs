//! How much memory a run may take: half of what is free, shared with the other runs of the machine.
//!
//! Free is what the machine has left, and what every level of the process's control group leaves, from its own up to the
//! root: a container, its pod and a slice of systemd may each have a limit. What files are cached can be had back and
//! counts as free; files of a tmpfs cannot.

use super::mounts::{Mount, Mounts};
use std::path::{Path, PathBuf};

/// Where nothing can be told.
const USUAL: u64 = 2_000_000_000;
/// With less than this, nothing gets on.
const LEAST: u64 = 64 << 20;
/// What version 1 of control groups has for no limit is near the largest number.
const NO_LIMIT: u64 = 1 << 62;
/// What the program is called among processes.
const PROGRAM: &str = "traxload";

/// How much memory a run may take for grouping, in bytes.
pub(crate) fn free_for_one_run() -> u64 {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    share(free(&Mounts::now(), &read), runs())
}

fn share(free: Option<u64>, runs: u64) -> u64 {
    (free.unwrap_or(USUAL) / 2 / runs.max(1)).max(LEAST)
}

/// How many processes of this program there are: this one at least.
fn runs() -> u64 {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let others = processes.filter(|process| process.file_name().to_str() != Some(&std::process::id().to_string()));
    let is_ours = |comm: &PathBuf| std::fs::read_to_string(comm).is_ok_and(|name| name.trim_end() == PROGRAM);
    1 + others.map(|process| process.path().join("comm")).filter(is_ours).count() as u64
}

/// What is free of the machine's memory and of every limit above this process. `read`: a file of the system.
fn free(mounts: &Mounts, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let meminfo = read(Path::new("/proc/meminfo")).unwrap_or_default();
    // Kernels before 3.14 do not say how much is available.
    let machine = field(&meminfo, "MemAvailable:").or_else(|| field(&meminfo, "MemTotal:"));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let levels = groups.lines().flat_map(|line| levels(line, mounts)).filter_map(|level| level.leaves(read));
    levels.chain(machine.map(|kilobytes| kilobytes * 1024)).min()
}

/// A control group that this process is in, or one around it.
#[derive(Debug, PartialEq, Eq)]
struct Level {
    folder: PathBuf,
    is_first_version: bool,
}

/// The levels of a line of `/proc/self/cgroup`: `0::/system.slice/trax.service`, or `4:memory:/docker/4801e8`.
fn levels(line: &str, mounts: &Mounts) -> Vec<Level> {
    let mut fields = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
        return Vec::new();
    };
    let is_first_version = !controllers.is_empty();
    let has = |list: &str| list.split(',').any(|name| name == "memory");
    if is_first_version && !has(controllers) {
        return Vec::new();
    }
    let is_mounted = |mount: &&Mount| match is_first_version {
        true => mount.kind == "cgroup" && has(&mount.options),
        false => mount.kind == "cgroup2",
    };
    let Some(mount) = mounts.iter().find(is_mounted) else { return Vec::new() };
    // In a container, the group that is mounted is its own, whatever the path says.
    let inside = Path::new(path).strip_prefix(&mount.root).unwrap_or(Path::new(""));
    let inside = if inside.starts_with("..") { Path::new("") } else { inside };
    let folders = inside.ancestors().map(|inside| mount.point.join(inside));
    folders.map(|folder| Level { folder, is_first_version }).collect()
}

impl Level {
    /// What it leaves; `None` where it has no limit.
    fn leaves(&self, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
        let number = |name: &str| read(&self.folder.join(name))?.trim().parse::<u64>().ok();
        let stat = read(&self.folder.join("memory.stat")).unwrap_or_default();
        let (limits, used, cached) = match self.is_first_version {
            true => (
                // The second one knows of levels that a container does not see.
                [number("memory.limit_in_bytes"), field(&stat, "hierarchical_memory_limit")],
                number("memory.usage_in_bytes"),
                ["total_inactive_file", "total_active_file"],
            ),
            false => (
                [number("memory.max"), number("memory.high")],
                number("memory.current"),
                ["inactive_file", "active_file"],
            ),
        };
        let limit = limits.into_iter().flatten().filter(|limit| *limit < NO_LIMIT).min()?;
        let cached: u64 = cached.iter().filter_map(|name| field(&stat, name)).sum();
        Some(limit.saturating_sub(used.unwrap_or_default().saturating_sub(cached)))
    }
}

/// The number behind a name that begins a line: `MemTotal:       24576000 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some(name)).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;
    const MEMINFO: (&str, &str) =
        ("/proc/meminfo", "MemTotal:       33554432 kB\nMemFree:  1048576 kB\nMemAvailable:   20971520 kB\n");

    /// What is free, in gigabytes, of a machine with these mounts and files.
    fn gigabytes(mountinfo: &str, files: &[(&str, &str)]) -> u64 {
        let read = |path: &Path| {
            let all = [MEMINFO].into_iter().chain(files.iter().copied());
            all.into_iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| text.to_owned())
        };
        free(&Mounts::parse(mountinfo), &read).expect("something is known") / GB
    }

    const SYSTEMD: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    const GROUP: &str = "/proc/self/cgroup";

    #[test]
    fn without_a_limit_it_is_what_the_machine_has_available() {
        assert_eq!(gigabytes("", &[]), 20);
        let files = [
            (GROUP, "0::/user.slice/user-1000.slice/session-3.scope\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/memory.current", "30000000000\n"),
        ];
        assert_eq!(gigabytes(SYSTEMD, &files), 20);
        let read = |_: &Path| Some("MemTotal:       2097152 kB\n".to_owned());
        assert_eq!(free(&Mounts::default(), &read), Some(2 * GB), "an old kernel");
        assert_eq!(free(&Mounts::default(), &|_| None), None);
    }

    #[test]
    fn every_level_of_a_slice_counts_with_what_its_others_use() {
        let service = "0::/system.slice/trax.slice/trax.service\n";
        let high = ("/sys/fs/cgroup/system.slice/trax.slice/trax.service/memory.high", "8589934592\n");
        assert_eq!(gigabytes(SYSTEMD, &[(GROUP, service), high]), 8);
        // The slice allows 10 GB, of which 6 are used, one of them by cached files.
        let slice = [
            (GROUP, service),
            high,
            ("/sys/fs/cgroup/system.slice/trax.slice/memory.max", "10737418240\n"),
            ("/sys/fs/cgroup/system.slice/trax.slice/memory.current", "6442450944\n"),
            ("/sys/fs/cgroup/system.slice/trax.slice/memory.stat", "anon 1\ninactive_file 1073741824\nactive_file 0\n"),
        ];
        assert_eq!(gigabytes(SYSTEMD, &slice), 5);
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_root() {
        let limit = ("/sys/fs/cgroup/memory.max", "4294967296\n");
        assert_eq!(gigabytes(SYSTEMD, &[(GROUP, "0::/\n"), limit]), 4, "docker with version 2");
        assert_eq!(gigabytes(SYSTEMD, &[(GROUP, "0::/../../kubepods\n"), limit]), 4, "entered from outside");
        let pod = "30 23 0:26 /kubepods.slice/pod1/cri-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw";
        let group = (GROUP, "0::/kubepods.slice/pod1/cri-1.scope\n");
        assert_eq!(gigabytes(pod, &[group, limit]), 4, "Kubernetes without a namespace of groups");
    }

    #[test]
    fn the_first_version_of_groups_counts_by_its_own_names() {
        let docker = "42 41 0:33 /docker/48 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n\
                      43 41 0:34 /docker/48 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let group = (GROUP, "12:cpu,cpuacct:/docker/48\n4:memory:/docker/48\n1:name=systemd:/docker/48\n");
        let limit = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "6442450944\n");
        assert_eq!(gigabytes(docker, &[group, limit]), 6);
        let pod = (
            "/sys/fs/cgroup/memory/memory.stat",
            "cache 5\nhierarchical_memory_limit 3221225472\ntotal_inactive_file 0\n",
        );
        assert_eq!(gigabytes(docker, &[group, limit, pod]), 3, "a level above that cannot be seen");
        // As on this project's own machines.
        let machine = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                       41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        let group = (GROUP, "4:memory:/process_api/4801e8\n0::/\n");
        let none = ("/sys/fs/cgroup/memory/process_api/4801e8/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(gigabytes(machine, &[group, none]), 20);
        let above = ("/sys/fs/cgroup/memory/process_api/memory.limit_in_bytes", "2147483648\n");
        assert_eq!(gigabytes(machine, &[group, none, above]), 2);
    }

    #[test]
    fn runs_beside_each_other_share_half_of_it() {
        assert_eq!((share(Some(8 * GB), 1), share(Some(8 * GB), 4)), (4 * GB, GB));
        assert_eq!((share(Some(0), 1), share(None, 1)), (LEAST, USUAL / 2));
    }
}
