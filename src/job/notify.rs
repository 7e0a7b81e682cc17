//! From the keys of `[notify]` to whom is told, and when. Their values are secrets and are not repeated in messages.

use super::checked::Mistakes;
use super::file::{self, Spanned};
use super::quantities;
use crate::notify::{Hook, HookSource, Notify, When};
use std::time::Duration;

/// Longer than this nobody waits for a notification.
const LONGEST: Duration = Duration::from_secs(300);

/// What `when` may say.
pub(super) const WHENS: [(&str, When); 2] = [("not_delivered", When::NotDelivered), ("always", When::Always)];

pub(super) fn notify(file: &file::Notify, mistakes: &mut Mistakes<'_>) -> Option<Notify> {
    let when = mistakes.parsed(&file.when, |text| {
        let known = WHENS.into_iter().find(|(name, _)| *name == text).map(|(_, when)| when);
        known
            .ok_or_else(|| "this is none of the times to notify; there are \"not_delivered\" and \"always\"".to_owned())
    });
    let timeout = mistakes.parsed(&file.timeout, |text| {
        let time = quantities::duration(text).ok().filter(|time| !time.is_zero() && *time <= LONGEST);
        time.ok_or_else(|| {
            "this is no time to wait for a notification; write it like \"10s\", at most \"5m\"".to_owned()
        })
    });
    let hook = match (&file.url, &file.url_env) {
        (Some(_), Some(name)) => {
            mistakes.add(name.span(), "url and url_env exclude each other; keep one of them");
            None
        }
        (Some(_), None) => mistakes.parsed(&file.url, Hook::parse).map(HookSource::Job),
        (None, Some(name)) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if name.get_ref().is_empty() || !name.get_ref().bytes().all(plain) {
                mistakes.add(name.span(), "url_env is the name of an environment variable, never the address itself; name one like \"TRAX_HOOK\"");
            }
            Some(HookSource::Env(name.get_ref().clone()))
        }
        (None, None) => {
            let rest = [file.when.as_ref(), file.timeout.as_ref()];
            if let Some(span) = rest.into_iter().flatten().map(Spanned::span).next() {
                mistakes.add_missing(span, "[notify] names nobody to tell; add a url, or a url_env");
            }
            None
        }
    };
    Some(Notify { hook: hook?, when: when.unwrap_or_default(), timeout: timeout.unwrap_or(Duration::from_secs(10)) })
}
