//! A body that says how it ended.

use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use crate::downloads::record::{Begun, end_delivery};
use crate::http::extract::AppData;

/// Records that all was sent when it was asked for more than all; dropped before, that it was not.
pub(super) struct Tracked {
    body: BoxStream<'static, Result<Bytes, Error>>,
    open: Option<(AppData, Begun)>,
}

impl Tracked {
    pub(super) fn new(
        body: BoxStream<'static, Result<Bytes, Error>>,
        open: Option<(AppData, Begun)>,
    ) -> Self {
        Self { body, open }
    }

    fn end(&mut self, completed: bool) {
        let runtime = tokio::runtime::Handle::try_current().ok();
        let Some(((app, begun), runtime)) = self.open.take().zip(runtime) else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = end_delivery(&app, begun, completed).await {
                tracing::warn!(%error, "how a delivery ended was not recorded");
            }
        });
    }
}

impl Stream for Tracked {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.body.as_mut().poll_next(context);
        match &next {
            Poll::Ready(None) => self.end(true),
            Poll::Ready(Some(Err(error))) => {
                tracing::error!(%error, "a delivery was cut: the kit storage failed");
                self.end(false);
            }
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        next
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.end(false);
    }
}
