//! A store for each service, set up from the environment: from the variables that the service's own tools read.

use super::http::Connector;
use super::patience;
use crate::storage::address::{Address, Service};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ObjectStore, Result};

/// The store of the bucket of an address. Nothing is asked yet.
///
/// # Errors
/// Where a variable of the environment cannot be used.
pub(super) fn store(address: &Address<'_>) -> Result<Box<dyn ObjectStore>> {
    let connector = Connector { service: address.service };
    let retries = patience::retries();
    let bucket = address.bucket;
    Ok(match address.service {
        Service::S3 => {
            let store = AmazonS3Builder::from_env().with_bucket_name(bucket);
            Box::new(store.with_retry(retries).with_http_connector(connector).build()?)
        }
        Service::Google => {
            let store = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            Box::new(store.with_retry(retries).with_http_connector(connector).build()?)
        }
        Service::Azure => {
            let store = MicrosoftAzureBuilder::from_env();
            let store = match bucket.contains('@') {
                true => store.with_url(address.root.to_ascii_lowercase()),
                false => store.with_container_name(bucket),
            };
            Box::new(store.with_retry(retries).with_http_connector(connector).build()?)
        }
    })
}

impl Service {
    /// The environment variables that hold the credentials.
    pub(super) fn credentials(self) -> &'static str {
        match self {
            Service::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN where there is one)",
            Service::Google => "GOOGLE_APPLICATION_CREDENTIALS",
            Service::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        }
    }

    /// The environment variable for a server other than the service's own.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Service::S3 => "AWS_ENDPOINT_URL",
            Service::Google => "GOOGLE_BASE_URL",
            Service::Azure => "AZURE_STORAGE_ENDPOINT",
        }
    }

    /// The environment variable, with its value, that allows plain http.
    pub(super) fn plain_http(self) -> &'static str {
        match self {
            Service::S3 => "AWS_ALLOW_HTTP=true",
            Service::Google => "GOOGLE_ALLOW_HTTP=true",
            Service::Azure => "AZURE_ALLOW_HTTP=true",
        }
    }
}
