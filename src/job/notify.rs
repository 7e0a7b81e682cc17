//! `[notify]`: where and when a notification is sent. The values of its keys are secrets and are not repeated in messages.

use super::api::is_variable;
use super::diagnostics::Diagnostics;
use super::keys::NotifyKeys;
use super::quantities;
use super::values::Spanned;
use super::vocabulary::{WHENS, meaning};
use crate::notify::{Hook, HookSource, Notify};
use std::time::Duration;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// A run should not wait longer for a notification.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// What the job says about notifications, if it wants any.
pub(super) fn notify(keys: &NotifyKeys, diagnostics: &mut Diagnostics<'_>) -> Option<Notify> {
    let timeout = diagnostics.parsed(&keys.timeout, |text| {
        let time = quantities::duration(text).ok().filter(|time| !time.is_zero() && *time <= MAX_TIMEOUT);
        time.ok_or_else(|| {
            "this is not a time to wait for a notification; write it like \"10s\", at most \"5m\"".to_owned()
        })
    });
    let hook = hook(keys, diagnostics)?;
    let when = meaning(&WHENS, keys.when.as_ref().map(Spanned::get_ref)).unwrap_or_default();
    Some(Notify { hook, when, timeout: timeout.unwrap_or(DEFAULT_TIMEOUT) })
}

fn hook(keys: &NotifyKeys, diagnostics: &mut Diagnostics<'_>) -> Option<HookSource> {
    match (&keys.url, &keys.url_env) {
        (Some(_), Some(name)) => {
            diagnostics.add(name.span(), "url and url_env exclude each other; keep one of them");
            None
        }
        (Some(_), None) => diagnostics.parsed(&keys.url, Hook::parse).map(HookSource::Job),
        (None, Some(name)) => {
            if !is_variable(name.get_ref()) {
                let message = "url_env is the name of an environment variable, never the address itself; name one like \"TRAX_HOOK\"";
                diagnostics.add(name.span(), message);
            }
            Some(HookSource::Env(name.get_ref().clone()))
        }
        (None, None) => {
            if let Some(key) = keys.when.as_ref().or(keys.timeout.as_ref()) {
                diagnostics.add_missing(key.span(), "[notify] has no address; add a url, or a url_env");
            }
            None
        }
    }
}
