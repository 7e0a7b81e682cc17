//! Prepared and invalid visits as columns.

use crate::build::{INVALID, Identity, Invalid, PREPARED, PREPARED_COLUMNS, Prepared};
use crate::text::hex;
use arrow::array::{ArrayRef, Int32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The columns of a folder, in their order. What is not known of a visit is null.
pub(super) fn schema() -> SchemaRef {
    let always = ["visit_id", "scenes", "status", "source"];
    let fields = PREPARED_COLUMNS.map(|name| {
        let kind = if name == "scenes" { DataType::Int32 } else { DataType::Utf8 };
        Field::new(name, kind, !always.contains(&name))
    });
    Arc::new(Schema::new(fields.to_vec()))
}

/// Collects visits as columns.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    visit_id: StringBuilder,
    session_uid: StringBuilder,
    store_number: StringBuilder,
    visit_date: StringBuilder,
    scenes: Int32Builder,
    status: StringBuilder,
    error_code: StringBuilder,
    error: StringBuilder,
    body: StringBuilder,
    payload_sha256: StringBuilder,
    source: StringBuilder,
}

impl BatchBuilder {
    /// Adds a visit that may be sent.
    pub(crate) fn add_prepared(&mut self, visit: Prepared) {
        let parts = visit.into_parts();
        self.add_identity(&parts.identity, PREPARED);
        self.error_code.append_null();
        self.error.append_null();
        // A body is made of text, and its escapes are ASCII.
        self.body.append_value(String::from_utf8_lossy(&parts.body));
        self.payload_sha256.append_value(hex(&parts.payload_sha256));
    }

    /// Adds a visit with problems.
    pub(crate) fn add_invalid(&mut self, visit: &Invalid) {
        self.add_identity(&visit.identity, INVALID);
        self.error_code.append_option(visit.problems.first().map(|code| code.name()));
        self.error.append_value(visit.problems.to_string());
        self.body.append_null();
        self.payload_sha256.append_null();
    }

    fn add_identity(&mut self, identity: &Identity, status: &str) {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.visit_id.append_value(&identity.visit_id);
        self.session_uid.append_option(identity.session_uid.map(|uid| uid.hyphenated().to_string()));
        self.store_number.append_option(known(&identity.store_number));
        self.visit_date.append_option(known(&identity.visit_date));
        self.scenes.append_value(i32::try_from(identity.scenes).unwrap_or(i32::MAX));
        self.status.append_value(status);
        self.source.append_value(identity.source.to_string());
    }

    /// The columns.
    ///
    /// # Errors
    /// Where Arrow finds them unequal, which they are not.
    pub(crate) fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.visit_id.finish()),
            Arc::new(self.session_uid.finish()),
            Arc::new(self.store_number.finish()),
            Arc::new(self.visit_date.finish()),
            Arc::new(self.scenes.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.error_code.finish()),
            Arc::new(self.error.finish()),
            Arc::new(self.body.finish()),
            Arc::new(self.payload_sha256.finish()),
            Arc::new(self.source.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}
