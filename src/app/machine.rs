//! What this machine has to offer.

/// Where nothing can be told.
const USUAL: u64 = 2_000_000_000;

/// Half of the machine's memory, or of what a container may have of it, in bytes.
pub(crate) fn half_of_its_memory() -> u64 {
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let container = limits.iter().find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let all = match (machine, container) {
        (Some(machine), Some(container)) => machine.min(container),
        (Some(memory), None) | (None, Some(memory)) => memory,
        (None, None) => USUAL,
    };
    all / 2
}

/// What the machine, or the container, is called.
pub(crate) fn name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// `MemTotal:       24576000 kB`
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_in_bytes() {
        assert_eq!(total("MemTotal:       24576000 kB\nMemFree: 1 kB"), Some(24_576_000 * 1024));
        assert_eq!(total("nothing"), None);
    }
}
