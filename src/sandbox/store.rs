//! The accepted sessions, in memory, in the order they came. It knows neither HTTP nor how a session is checked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Store {
    sessions: Vec<Session>,
    /// The ids of each project. An id in another project is another session.
    taken: HashMap<Arc<str>, HashSet<Uuid>>,
    keep_bytes: usize,
    kept_bytes: usize,
    /// The index of the oldest session that still has its body.
    oldest_kept: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    uid: Uuid,
    project: Arc<str>,
    received_at: DateTime<Utc>,
    body: Option<Bytes>,
}

impl Store {
    pub(super) fn new(keep_bytes: usize) -> Self {
        Self { sessions: Vec::new(), taken: HashMap::new(), keep_bytes, kept_bytes: 0, oldest_kept: 0 }
    }

    pub(super) fn has(&self, project: &str, uid: Uuid) -> bool {
        self.taken.get(project).is_some_and(|taken| taken.contains(&uid))
    }

    /// Stores a session. Returns `false`, and changes nothing, where its id was taken before. `body` must be valid JSON.
    pub(super) fn insert(&mut self, project: &str, uid: Uuid, body: &[u8]) -> bool {
        let project = match self.taken.get_key_value(project) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(project),
        };
        if !self.taken.entry(Arc::clone(&project)).or_default().insert(uid) {
            return false;
        }
        self.sessions.push(Session {
            uid,
            project,
            received_at: Utc::now(),
            // A copy, because the original may be a slice that keeps a whole read buffer in memory.
            body: Some(Bytes::copy_from_slice(body)),
        });
        self.kept_bytes += body.len();
        self.drop_oldest_bodies();
        true
    }

    fn drop_oldest_bodies(&mut self) {
        while self.kept_bytes > self.keep_bytes
            && let Some(oldest) = self.sessions.get_mut(self.oldest_kept)
        {
            self.kept_bytes -= oldest.body.take().map_or(0, |body| body.len());
            self.oldest_kept += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// At most `limit` sessions, starting at index `offset`. Bodies are shared, not copied.
    pub(super) fn page(&self, offset: usize, limit: usize) -> Vec<Session> {
        self.sessions.iter().skip(offset).take(limit).cloned().collect()
    }

    /// Forgets all sessions. Returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let forgotten = self.len();
        *self = Self::new(self.keep_bytes);
        forgotten
    }
}

/// The body of `GET /sandbox/sessions`. It holds the bodies that the client sent byte for byte, so that the order of their
/// keys shows.
pub(super) fn listing(count: usize, page: &[Session]) -> Vec<u8> {
    let mut text = format!(r#"{{"count":{count},"sessions":["#).into_bytes();
    for (index, session) in page.iter().enumerate() {
        let received_at = session.received_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let head = format!(
            r#"{}{{"session_uid":"{}","project":{},"received_at":"{received_at}","body":"#,
            if index == 0 { "" } else { "," },
            session.uid,
            json!(&*session.project),
        );
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(session.body.as_deref().unwrap_or(b"null"));
        text.push(b'}');
    }
    text.extend_from_slice(b"]}");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_id_is_taken_once_in_a_project() {
        let mut store = Store::new(1000);
        let uid = Uuid::from_u128(1);
        assert!(!store.has("a", uid));
        assert!(store.insert("a", uid, b"{}"));
        assert!(!store.insert("a", uid, b"{}"));
        assert!(store.has("a", uid));
        assert!(!store.has("b", uid));
        assert!(store.insert("b", uid, b"{}"));
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn the_oldest_bodies_go_first_and_their_ids_stay() {
        let mut store = Store::new(4);
        for uid in 0..3 {
            store.insert("a", Uuid::from_u128(uid), b"{}");
        }
        let kept: Vec<bool> = store.page(0, 10).iter().map(|session| session.body.is_some()).collect();
        assert_eq!(kept, [false, true, true]);
        assert!(store.has("a", Uuid::from_u128(0)));
        // A body larger than the limit is dropped at once.
        store.insert("a", Uuid::from_u128(9), b"{     }");
        assert!(store.page(0, 10).iter().all(|session| session.body.is_none()));
        store.insert("a", Uuid::from_u128(10), b"{}");
        assert!(store.page(4, 10)[0].body.is_some());
    }

    #[test]
    fn the_listing_is_json_with_the_bodies_as_they_came() {
        let mut store = Store::new(22);
        store.insert("a \"quoted\" project", Uuid::from_u128(1), b"{}");
        store.insert("a", Uuid::from_u128(2), br#"{"z":1, "a":2}"#);
        store.insert("a", Uuid::from_u128(3), br#"{"k":3}"#);
        let text = listing(store.len(), &store.page(0, 2));
        assert!(String::from_utf8_lossy(&text).contains(r#""body":{"z":1, "a":2}"#));
        let json: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(json["count"], 3);
        assert_eq!(json["sessions"].as_array().unwrap().len(), 2);
        assert_eq!(json["sessions"][0]["project"], "a \"quoted\" project");
        assert_eq!(json["sessions"][0]["body"], Value::Null);
        assert_eq!(json["sessions"][1]["session_uid"], "00000000-0000-0000-0000-000000000002");
        assert!(store.page(7, 2).is_empty());
        assert_eq!(store.clear(), 3);
        assert_eq!(listing(0, &store.page(0, 2)), br#"{"count":0,"sessions":[]}"#);
    }
}
