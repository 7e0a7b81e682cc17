//! Requests in, answers out: the order of the checks, and the routes under `/sandbox/`.
//!
//! It does not know what makes a session valid (`validate`), nor how sessions are kept (`store`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::{Uuid, Version};

use super::answers::Refusal;
use super::store::{self, Store};
use super::traffic::Traffic;
use super::{FAILING_STORE, LOST_ANSWER_STORE, Options, auth, validate};

const LARGEST_BODY: usize = 10 << 20;

/// Everything that requests share. No lock is ever held across an await.
#[derive(Debug)]
struct Sandbox {
    options: Options,
    store: Mutex<Store>,
    traffic: Mutex<Traffic>,
}

pub(super) fn router(options: Options) -> Router {
    let sandbox = Sandbox { store: Mutex::new(Store::new(options.keep_bodies)), traffic: Mutex::default(), options };
    Router::new()
        .route("/sandbox/sessions", get(sessions).delete(forget_sessions))
        .route("/sandbox/stats", get(stats).delete(forget_stats))
        .route("/sandbox/{*rest}", any(unknown))
        .route("/api/{version}/{project}/{resource}/{session_uid}", any(api))
        // Unknown routes go the same way, because the rate and the token are checked before the route.
        .fallback(api)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(sandbox))
}

/// The parameters of the one route of the API.
#[derive(Debug, Deserialize)]
struct Route {
    version: String,
    project: String,
    resource: String,
    session_uid: String,
}

/// A request without its body.
struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// `None` where the path has another shape.
    route: Option<Route>,
}

async fn api(
    State(sandbox): State<Arc<Sandbox>>,
    route: Result<Path<Route>, PathRejection>,
    request: Request,
) -> Response {
    let admission = sandbox.traffic().arrive(Instant::now(), &sandbox.options);
    let _under_way = UnderWay(&sandbox);
    let head = Head {
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
        route: route.ok().map(|Path(route)| route),
    };
    // The body is read even if the request will be refused: an answer would break the connection of a client that is
    // still sending.
    let body = Bytes::from_request(request, &()).await;

    let (status, answer) = match admission.and_then(|()| sandbox.receive(head, body)) {
        Ok(uid) => {
            let text = json!({ "session_uid": uid.to_string(), "message": "Session received" });
            (StatusCode::OK, Json(text).into_response())
        }
        Err(refusal) => (refusal.status(), refusal.into_response()),
    };
    sandbox.traffic().decided(status);
    if !sandbox.options.latency.is_zero() {
        tokio::time::sleep(sandbox.options.latency).await;
    }
    answer
}

impl Sandbox {
    /// Makes all checks after the rate limit, and stores the session.
    fn receive(&self, head: Head, body: Result<Bytes, BytesRejection>) -> Result<Uuid, Refusal> {
        auth::check(&head.headers, &self.options)?;
        let Some(route) = head.route else {
            return Err(Refusal::UnknownRoute(head.uri.path().to_owned()));
        };
        let projects = &self.options.projects;
        if !projects.is_empty() && !projects.contains(&route.project) {
            return Err(Refusal::Forbidden(head.uri.path().to_owned()));
        }
        // The vendor's page has both words: one in its heading, the other in its curl line.
        if route.version != "v4" || !["session", "sessions"].contains(&route.resource.as_str()) {
            return Err(Refusal::UnknownRoute(head.uri.path().to_owned()));
        }
        if head.method != Method::PUT {
            return Err(Refusal::NotPut);
        }
        let uid = self.session_uid(&route.session_uid)?;
        // Checked before the body: the vendor accepts an id once, whatever the body of a second request.
        if self.store().has(&route.project, uid) {
            return Err(Refusal::AlreadyReceived);
        }
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
            // The body was cut short, so the client has most likely gone.
            _ => Refusal::IncorrectFormat { field: "request body", format: "JSON object" },
        })?;
        let session = validate::session(&body, &self.options)?;
        if session.store_number == FAILING_STORE {
            return Err(Refusal::Internal);
        }
        // Another request may have stored the same id meanwhile; only one of them succeeds.
        if !self.store().insert(&route.project, uid, &body) {
            return Err(Refusal::AlreadyReceived);
        }
        if session.store_number == LOST_ANSWER_STORE {
            return Err(Refusal::Internal);
        }
        Ok(uid)
    }

    fn session_uid(&self, text: &str) -> Result<Uuid, Refusal> {
        let v4_required = self.options.uuid_v4_required;
        // The crate also reads braces, `urn:uuid:` and bare digits. The plain form has 36 characters.
        Uuid::try_parse(text)
            .ok()
            .filter(|_| text.len() == 36)
            .filter(|uid| !v4_required || uid.get_version() == Some(Version::Random))
            .ok_or(Refusal::IncorrectFormat {
                field: "session_uid",
                format: if v4_required { "UUID v.4" } else { "UUID" },
            })
    }

    // A panic leaves nothing half done under these locks, so a poisoned lock can still be used.

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. It is dropped when the answer is there or the client has gone.
struct UnderWay<'a>(&'a Sandbox);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.traffic().left();
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    offset: Option<usize>,
    limit: Option<usize>,
}

async fn sessions(State(sandbox): State<Arc<Sandbox>>, page: Result<Query<Page>, QueryRejection>) -> Response {
    let Ok(Query(page)) = page else {
        let text = json!({ "error": "limit and offset must be whole numbers" });
        return (StatusCode::BAD_REQUEST, Json(text)).into_response();
    };
    let (count, page) = {
        let store = sandbox.store();
        let offset = page.offset.unwrap_or(0);
        (store.len(), store.page(offset, page.limit.unwrap_or(usize::MAX)))
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, store::listing(count, &page)).into_response()
}

async fn forget_sessions(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let forgotten = sandbox.store().clear();
    Json(json!({ "forgotten": forgotten })).into_response()
}

async fn stats(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let counts = sandbox.traffic().counts();
    Json(counts).into_response()
}

async fn forget_stats(State(sandbox): State<Arc<Sandbox>>) -> Response {
    sandbox.traffic().clear();
    StatusCode::NO_CONTENT.into_response()
}

async fn unknown(uri: Uri) -> Response {
    Refusal::UnknownRoute(uri.path().to_owned()).into_response()
}
