//! What the machine and the user are called.

/// What the machine, or the container, is called.
pub(crate) fn name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The user whose rights this process has: the name, or where none is known the number.
#[cfg(unix)]
pub(crate) fn user() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let known = std::fs::read_to_string("/etc/passwd").ok().and_then(|users| name_of(&uid, &users));
    // Users of a directory service stand in no file.
    known.or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty())).or(Some(uid))
}

/// The user whose rights this process has.
#[cfg(not(unix))]
pub(crate) fn user() -> Option<String> {
    std::env::var("USERNAME").ok()
}

/// `trax:x:1000:1000:Trax,,,:/home/trax:/bin/sh`
#[cfg(unix)]
fn name_of(uid: &str, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number == uid).then(|| name.to_owned())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::name_of;

    #[test]
    fn a_user_is_found_by_the_whole_number() {
        let users = "root:x:0:0::/root:/bin/sh\n\ntrax:x:1000:1000:Trax,,,:/home/trax:/bin/sh\n";
        assert_eq!(name_of("1000", users).as_deref(), Some("trax"));
        assert_eq!(name_of("100", users), None);
    }
}
