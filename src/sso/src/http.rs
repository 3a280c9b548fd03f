//! One way to providers, with limits: no redirects, 5 seconds to connect, 10 for everything, 1 MiB at most.

use std::{pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::redirect;

use crate::error::SsoError;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a call may take, and all calls of one step together.
pub(crate) const TOTAL_LIMIT: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// Speaks to providers.
#[derive(Clone, Debug)]
pub(crate) struct Http(reqwest::Client);

/// A call that brought no answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CallFailed(pub(crate) SsoError);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallFailed;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallFailed>> + Send + 'c>>;

    /// Calls a provider and reads the whole answer.
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.answer_to(request).await.map_err(CallFailed) })
    }
}

impl Http {
    /// # Errors
    /// When the machine offers no randomness or no certificates.
    pub(crate) fn new(total: Duration) -> Result<Self, SsoError> {
        reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT.min(total))
            .timeout(total)
            .no_proxy()
            .referer(false)
            .build()
            .map(Self)
            .map_err(|_| SsoError::Unreachable)
    }

    async fn answer_to(&self, request: HttpRequest) -> Result<HttpResponse, SsoError> {
        let request = request.try_into().map_err(|_| SsoError::NotUnderstood)?;
        let mut response = self.0.execute(request).await.map_err(|error| failed(&error))?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(SsoError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body).map_err(|_| SsoError::NotUnderstood)
    }

    /// Fetches a JSON document.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, SsoError> {
        let request = http::Request::get(url)
            .header(http::header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| SsoError::NotUnderstood)?;
        let answer = self.answer_to(request).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(SsoError::Status(answer.status().as_u16()));
        }
        Ok(answer.into_body())
    }
}

fn failed(error: &reqwest::Error) -> SsoError {
    if error.is_timeout() {
        SsoError::TimedOut
    } else {
        SsoError::Unreachable
    }
}
