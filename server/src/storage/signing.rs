//! Addresses at the storage service, good for one file and a short time.

use object_store::signer::{Method, SignedUrlOptions, Url};

use super::{Storage, StorageError, content_key};

const NO_FILE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What the service says about the bytes, which it knows by their hash alone.
#[derive(Debug, Clone)]
pub struct Presented {
    /// `Content-Disposition`.
    pub disposition: String,
    /// `Content-Type`.
    pub content_type: &'static str,
}

impl Storage {
    /// Whether clients are sent on to the service.
    pub fn redirects(&self) -> bool {
        self.signer.is_some()
    }

    /// The signed address of a stored file; `None` where files leave through this server.
    pub async fn signed_address(
        &self,
        sha256: &str,
        presented: &Presented,
    ) -> Result<Option<Url>, StorageError> {
        let Some(signer) = &self.signer else {
            return Ok(None);
        };
        let key = content_key(sha256).ok_or(StorageError::Missing)?;
        let options = SignedUrlOptions::new().with_query([
            (
                "response-content-disposition",
                presented.disposition.as_str(),
            ),
            ("response-content-type", presented.content_type),
            // The hop to this address is not kept, what it leads to may be.
            (
                "response-cache-control",
                "private, max-age=31536000, immutable",
            ),
        ]);
        let signing = signer.signed_url_opts(Method::GET, &key, self.signed_life, &options);
        // Credentials of a machine's role come by network.
        Ok(Some(self.within(signing).await?))
    }
    /// Scheme, host and port to which clients are sent on; `None` where they are not.
    pub async fn origin_elsewhere(&self) -> Result<Option<String>, StorageError> {
        let presented = Presented {
            disposition: String::new(),
            content_type: "",
        };
        // Any file's address will do, and that nobody has is given to nobody.
        let address = self.signed_address(NO_FILE, &presented).await?;
        Ok(address.map(|address| address.origin().ascii_serialization()))
    }
}
