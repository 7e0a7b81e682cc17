//! The file descriptors that requests under way need: one each. Systems begin with a soft limit of 256 or 1024, which a
//! process may raise by itself.

/// What everything but connections needs: exports, journal, temporary files, lookups of names.
const OTHERS: u64 = 128;

/// Raises the soft limit for so many requests under way. Returns how many there may be, where they are fewer.
#[cfg(unix)]
pub(crate) fn make_room(requests: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = requests as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return None;
    }
    let raised = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let is_raised = raised > current
        && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok();
    fewer_than(requests, if is_raised { raised } else { current })
}

/// Nothing is known of other systems.
#[cfg(not(unix))]
pub(crate) fn make_room(_requests: usize) -> Option<usize> {
    None
}

#[cfg(unix)]
fn fewer_than(requests: usize, descriptors: u64) -> Option<usize> {
    let room = usize::try_from(descriptors.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(1);
    (room < requests).then_some(room)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn too_few_descriptors_are_fewer_requests_and_at_least_one() {
        assert_eq!(fewer_than(100, 228), None);
        assert_eq!(fewer_than(100, 178), Some(50));
        assert_eq!(fewer_than(100, 20), Some(1));
        assert_eq!(make_room(8), None);
    }
}
