//! The sockets: how long each part of a conversation may take, how many there may be, and how they end
//! (N26; attacks.md T155, T156).
//!
//! hyper reads and writes HTTP/1.1; around its socket stands a [`Watched`] that knows what the connection is waiting
//! for and closes it when the time for that is over. Requests run in tasks of their own: a visitor who hangs up does not
//! stop one half-way (no half-done work, no database transaction cut in the middle).

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, StatusCode, header::CONNECTION},
    response::IntoResponse,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Time that a stopping server gives a request whose body has not arrived.
const LAST_BODIES: Duration = Duration::from_secs(1);
/// Most that is read and thrown away after a refused body, in bytes, so that the visitor gets to see the answer.
const LINGER_BYTES: usize = 16 * 1024 * 1024;
/// Memory that hyper may use for each direction of a connection, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Memory that the system may use for what a visitor has not taken yet, in bytes; it counts about twice as much. With more
/// of it a whole answer would look as if it had been taken, and be kept for hours for somebody who takes a little of it.
const UNTAKEN_BYTES: u32 = 128 * 1024;
/// Connections that the system takes before we do.
const BACKLOG: u32 = 1024;
/// How long nobody is let in after the system could not hand over a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long things may take and how many there may be.
#[derive(Clone, Debug)]
pub struct ListenerLimits {
    /// From the connection to the first byte.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its headers.
    pub head: Duration,
    /// From the first byte of a request to the end of its body.
    pub request: Duration,
    /// Between two requests on one connection.
    pub idle: Duration,
    /// Without the visitor taking anything of an answer.
    pub stalled: Duration,
    /// Bytes of an answer that a visitor takes in each second at least: whoever has made us wait longer than
    /// [`ListenerLimits::stalled`] and this allow together is cut off, however often a little is taken.
    pub slowest: u32,
    /// For reading on after an answer that did not wait for the body.
    pub linger: Duration,
    /// For requests that are being answered when the server stops.
    pub shutdown: Duration,
    /// Largest request line and headers together, in bytes.
    pub head_bytes: usize,
    /// Connections at the same time; further ones wait.
    pub connections: usize,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            idle: Duration::from_mins(1),
            stalled: Duration::from_secs(30),
            slowest: 4 * 1024,
            linger: Duration::from_secs(2),
            shutdown: Duration::from_secs(20),
            head_bytes: 32 * 1024,
            connections: 10_000,
        }
    }
}

/// The body did not arrive in time; the error of a request's body. Answer it with 408.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body did not arrive in time")]
pub struct BodyTimedOut;

impl BodyTimedOut {
    /// Whether this is what an error comes from.
    pub fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<Self>)
    }
}

/// Listens at an address, for [`serve`].
///
/// # Errors
/// Nobody can listen there.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A server that has just ended leaves connections behind that must not keep the next one from starting.
    socket.set_reuseaddr(true)?;
    // Every connection inherits it.
    socket.set_send_buffer_size(UNTAKEN_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers requests until `stop` is cancelled; returns when all connections are closed.
///
/// Once `draining` is cancelled, visitors still come in, and each answer says that its connection is at its end. On
/// `stop`, connections that are not in the middle of a request are closed at once, and requests that are being answered
/// get [`ListenerLimits::shutdown`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ListenerLimits,
    draining: CancellationToken,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let shared = Arc::new(Shared {
        router,
        limits,
        draining,
        stop,
        abandon: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    let accept = async {
        let mut full = false;
        loop {
            let was_full = std::mem::replace(&mut full, room.available_permits() == 0);
            if full && !was_full {
                tracing::warn!("there are as many connections as allowed; further ones wait");
            }
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            let (stream, peer) = next_visitor(&listener).await;
            let connection = Connection {
                shared: shared.clone(),
                peer,
                permit: Arc::new(permit),
            };
            shared.tasks.spawn(connection.run(stream));
        }
    };
    shared.stop.run_until_cancelled(accept).await;
    drop(listener);
    shared.tasks.close();
    if timeout(shared.limits.shutdown, shared.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            tasks = shared.tasks.len(),
            "requests took too long to end and were given up"
        );
        shared.abandon.cancel();
        shared.tasks.wait().await;
    }
}

/// The next connection. Says once in the log when the system has none to give, such as for lack of open files.
async fn next_visitor(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut told = false;
    loop {
        let error = match listener.accept().await {
            Ok(visitor) => return visitor,
            Err(error) => error,
        };
        // A visitor who has hung up already says nothing about the next.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
        ) {
            continue;
        }
        if !told {
            tracing::error!(%error, "no connection can be taken; visitors wait");
            told = true;
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// What all connections share.
struct Shared {
    router: Router,
    limits: ListenerLimits,
    draining: CancellationToken,
    stop: CancellationToken,
    abandon: CancellationToken,
    tasks: TaskTracker,
}

/// One connection.
struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    /// Held by the requests too: hanging up makes no room while the work goes on.
    permit: Arc<OwnedSemaphorePermit>,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let abandon = self.shared.abandon.clone();
        abandon.run_until_cancelled(self.converse(stream)).await;
    }

    async fn converse(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a socket keeps its delay");
        }
        let stop = self.shared.stop.clone();
        let limits = &self.shared.limits;
        let progress = Arc::new(Progress::new(limits.first_byte));
        let socket = TokioIo::new(Watched::new(
            stream,
            progress.clone(),
            limits.clone(),
            stop.clone(),
        ));
        let service = service_fn(|request| self.answer(request, &progress));
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_header_size(limits.head_bytes)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(socket, service);
        let mut connection = pin!(connection);
        // Errors are the visitor's (hung up, too slow, not HTTP), and hyper has answered where it could.
        if stop.run_until_cancelled(connection.as_mut()).await.is_some() {
            return;
        }
        connection.as_mut().graceful_shutdown();
        if progress.awaits_body() && timeout(LAST_BODIES, connection.as_mut()).await.is_ok() {
            return;
        }
        if progress.is_answering() && !progress.awaits_body() {
            let _ = connection.await;
        }
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        progress: &Arc<Progress>,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + use<> {
        let progress = progress.clone();
        let until = progress.begin(!request.body().is_end_stream()) + self.shared.limits.request;
        let mut request = request.map(|body| {
            Body::new(Arriving {
                body,
                alarm: Alarm::default(),
                until,
                progress: progress.clone(),
            })
        });
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let (shared, permit) = (self.shared.clone(), self.permit.clone());
        let draining = self.shared.draining.clone();
        let work = self.shared.tasks.spawn(async move {
            let _permit = permit;
            shared
                .abandon
                .run_until_cancelled(shared.router.clone().oneshot(request))
                .await
        });
        async move {
            let mut response = match work.await {
                Ok(Some(Ok(response))) => response,
                _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
            if draining.is_cancelled() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response.map(|body| Answer { body, progress }))
        }
    }
}

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The first byte of a request, until then.
    Waiting(Instant),
    /// The rest of the headers, since the first byte came.
    Head(Instant),
    /// The body, the work, or the visitor to take the answer.
    Answering,
    /// The last bytes of the answer are on their way into the socket.
    Flushing,
}

/// Where a connection is; written by its socket, its requests and their answers.
#[derive(Debug)]
struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    awaits_body: bool,
}

impl Progress {
    fn new(first_byte: Duration) -> Self {
        Self(Mutex::new(State {
            phase: Phase::Waiting(Instant::now() + first_byte),
            awaits_body: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's headers are complete. When its first byte came.
    fn begin(&self, has_body: bool) -> Instant {
        let mut state = self.lock();
        let since = if let Phase::Head(since) = state.phase {
            since
        } else {
            Instant::now()
        };
        *state = State {
            phase: Phase::Answering,
            awaits_body: has_body,
        };
        since
    }

    /// Bytes came in.
    fn received(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Waiting(_)) {
            state.phase = Phase::Head(Instant::now());
        }
    }

    /// The whole answer was handed to hyper.
    fn answered(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Answering) {
            state.phase = Phase::Flushing;
        }
    }

    /// Everything was written. Until when the next request has to begin, when this was the end of an answer.
    fn flushed(&self, idle: Duration) -> Option<Instant> {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Flushing) {
            return None;
        }
        let until = Instant::now() + idle;
        state.phase = Phase::Waiting(until);
        Some(until)
    }

    /// When the visitor has to have sent what is awaited now; `None` when it is not the visitor's turn.
    fn due(&self, head: Duration) -> Option<Instant> {
        match self.lock().phase {
            Phase::Waiting(until) => Some(until),
            Phase::Head(since) => Some(since + head),
            Phase::Answering | Phase::Flushing => None,
        }
    }

    fn is_answering(&self) -> bool {
        matches!(self.lock().phase, Phase::Answering | Phase::Flushing)
    }

    fn awaits_body(&self) -> bool {
        self.lock().awaits_body
    }

    /// Whether the visitor may still be sending what nobody will read.
    fn is_unread(&self) -> bool {
        let state = self.lock();
        state.awaits_body || matches!(state.phase, Phase::Head(_))
    }

    fn body_arrived(&self) {
        self.lock().awaits_body = false;
    }
}

/// A timer that is set up when it is first needed.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether `at` has come; if not, the task is woken when it does.
    fn rings(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}

/// A socket that fails when the visitor takes too long.
struct Watched {
    stream: TcpStream,
    progress: Arc<Progress>,
    limits: ListenerLimits,
    stop: CancellationToken,
    reading: Alarm,
    writing: Alarm,
    stalled_since: Option<Instant>,
    taking: Taking,
    linger: Option<Linger>,
}

/// How a visitor has taken the answer so far. Only the time for which the socket was full counts: an answer that is slow
/// to be made is not the visitor's fault.
#[derive(Default)]
struct Taking {
    bytes: u64,
    waited: Duration,
}

impl Taking {
    /// How long we may have waited for so many bytes to be taken.
    fn patience(&self, limits: &ListenerLimits) -> Duration {
        limits.stalled + Duration::from_secs(self.bytes / u64::from(limits.slowest.max(1)))
    }
}

/// Reading on after the end.
struct Linger {
    until: Instant,
    left: usize,
}

impl Watched {
    fn new(
        stream: TcpStream,
        progress: Arc<Progress>,
        limits: ListenerLimits,
        stop: CancellationToken,
    ) -> Self {
        Self {
            stream,
            progress,
            limits,
            stop,
            reading: Alarm::default(),
            writing: Alarm::default(),
            stalled_since: None,
            taking: Taking::default(),
            linger: None,
        }
    }

    /// Passes the outcome of a write on, or fails when none has succeeded for too long, or all of them together took too
    /// long for what they wrote.
    fn watch(&mut self, outcome: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = &outcome {
            if let Some(since) = self.stalled_since.take() {
                self.taking.waited += since.elapsed();
            }
            if let Ok(bytes) = written {
                self.taking.bytes += u64::try_from(*bytes).unwrap_or(u64::MAX);
            }
            return outcome;
        }
        let since = *self.stalled_since.get_or_insert_with(Instant::now);
        let left = self
            .taking
            .patience(&self.limits)
            .saturating_sub(self.taking.waited);
        if self.writing.rings(since + left.min(self.limits.stalled), cx) {
            // Else the system would go on keeping what is left of the answer.
            if let Err(error) = self.stream.set_zero_linger() {
                tracing::debug!(%error, "a socket keeps its answer");
            }
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        } else {
            Poll::Pending
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if outcome.is_ready() {
            if buffer.filled().len() > before {
                this.progress.received();
            }
            return outcome;
        }
        match this.progress.due(this.limits.head) {
            Some(due) if this.reading.rings(due, cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            _ => Poll::Pending,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(outcome, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        if let Some(until) = this.progress.flushed(this.limits.idle) {
            // hyper does not read again now; the alarm has to be set here to wake it.
            this.reading.rings(until, cx);
            this.taking = Taking::default();
        }
        Poll::Ready(Ok(()))
    }

    /// Closes our half. Where headers or a body were refused before they had arrived, what still comes is read and thrown away for a
    /// while: closing at once would make the visitor's system drop the answer unread (RFC 9112, section 9.6).
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        if !this.progress.is_unread() {
            return Poll::Ready(Ok(()));
        }
        let until = Instant::now() + this.limits.linger;
        let linger = this.linger.get_or_insert(Linger {
            until,
            left: LINGER_BYTES,
        });
        let mut scratch = [0; 8 * 1024];
        while !this.stop.is_cancelled() && linger.left > 0 {
            if this.reading.rings(linger.until, cx) {
                break;
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            let outcome = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
            if outcome.is_err() || buffer.filled().is_empty() {
                break;
            }
            linger.left = linger.left.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}

/// A request's body that fails with [`BodyTimedOut`] when it takes too long.
struct Arriving {
    body: Incoming,
    alarm: Alarm,
    until: Instant,
    progress: Arc<Progress>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending if this.alarm.rings(this.until, cx) => {
                return Poll::Ready(Some(Err(BodyTimedOut.into())));
            }
            Poll::Pending => return Poll::Pending,
        };
        if frame.is_none() || this.body.is_end_stream() {
            this.progress.body_arrived();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body that tells when hyper has taken it all.
struct Answer {
    body: Body,
    progress: Arc<Progress>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.progress.answered();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use axum::{
        middleware::from_fn_with_state,
        routing::{get, post},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Notify,
        task::JoinHandle,
    };

    use super::*;
    use crate::http::form_guard;

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_mins(1);
    /// A buffer of a socket, in bytes.
    const SMALL: u32 = 8 * 1024;
    /// Far longer than anything here takes, far shorter than [`LONG`].
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Nothing ends by itself.
    fn patient() -> ListenerLimits {
        ListenerLimits {
            first_byte: LONG,
            head: LONG,
            request: LONG,
            idle: LONG,
            stalled: LONG,
            slowest: 1,
            linger: LONG,
            shutdown: LONG,
            ..ListenerLimits::default()
        }
    }

    struct Server {
        address: SocketAddr,
        draining: CancellationToken,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    impl Server {
        fn start(router: Router, limits: ListenerLimits) -> Self {
            let socket = TcpSocket::new_v4().unwrap();
            // The system takes little on a reader's behalf, so that slow readers are seen at once.
            socket.set_send_buffer_size(SMALL).unwrap();
            socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
            Self::at(socket.listen(64).unwrap(), router, limits)
        }

        fn at(listener: TcpListener, router: Router, limits: ListenerLimits) -> Self {
            let address = listener.local_addr().unwrap();
            let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
            let task = tokio::spawn(serve(listener, router, limits, draining.clone(), stop.clone()));
            Self {
                address,
                draining,
                stop,
                task,
            }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// Sends these bytes on a new connection.
        async fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
            let mut socket = self.connect().await;
            socket.write_all(bytes.as_ref()).await.unwrap();
            socket
        }

        /// Waits until it has stopped.
        async fn stopped(self) {
            self.stop.cancel();
            timeout(PATIENCE, self.task).await.unwrap().unwrap();
        }
    }

    fn hello() -> Router {
        let rules = [("/form", vec!["a"])]
            .into_iter()
            .collect::<form_guard::FormRules>();
        Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/form", post(|body: String| async move { body }))
            .layer(from_fn_with_state(rules, form_guard::check))
    }

    const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    const LAST_GET: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    fn form(length: &str) -> String {
        format!(
            "POST /form HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
        )
    }

    /// Everything until the other side closes.
    async fn rest(socket: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        // A reset is an end too.
        let _ = timeout(PATIENCE, socket.read_to_end(&mut bytes))
            .await
            .expect("the connection stays open");
        String::from_utf8(bytes).unwrap()
    }

    /// Everything until `end` has come.
    async fn until(socket: &mut TcpStream, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, socket.read_u8())
                .await
                .expect("nothing comes")
                .unwrap();
            bytes.push(byte);
        }
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn requests_are_answered_and_know_their_peer() {
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        let server = Server::start(Router::new().route("/", get(peer)), patient());
        let mut socket = server.send(LAST_GET).await;
        let own = socket.local_addr().unwrap().to_string();
        let answer = rest(&mut socket).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(&own),
            "{answer}"
        );
        assert!(!answer.contains("server:"), "{answer}");
        server.stopped().await;
    }

    #[tokio::test]
    async fn a_silent_socket_is_closed() {
        let server = Server::start(
            hello(),
            ListenerLimits {
                first_byte: SHORT,
                ..patient()
            },
        );
        assert_eq!(rest(&mut server.connect().await).await, "");
    }

    #[tokio::test]
    async fn slow_headers_end_the_connection_however_they_trickle() {
        let server = Server::start(
            hello(),
            ListenerLimits {
                head: SHORT,
                ..patient()
            },
        );
        assert_eq!(rest(&mut server.send("GET / HTTP/1.1\r\nho").await).await, "");
        let mut socket = server.send("GET / HTTP/1.1\r\nhost: ").await;
        let closed = async {
            let mut pause = tokio::time::interval(Duration::from_millis(10));
            while socket.write_all(b"x").await.is_ok() {
                pause.tick().await;
            }
        };
        timeout(PATIENCE, closed)
            .await
            .expect("the connection stays open");
    }

    #[tokio::test]
    async fn an_idle_connection_is_kept_for_its_own_time() {
        let limits = ListenerLimits {
            first_byte: SHORT,
            head: SHORT,
            idle: 5 * SHORT,
            ..patient()
        };
        let server = Server::start(hello(), limits);
        let mut socket = server.send(GET).await;
        until(&mut socket, "hello").await;
        let start = Instant::now();
        assert_eq!(rest(&mut socket).await, "");
        assert!(start.elapsed() >= 4 * SHORT, "closed after {:?}", start.elapsed());
        let mut socket = server.send(GET).await;
        for _ in 0..3 {
            until(&mut socket, "hello").await;
            socket.write_all(GET.as_bytes()).await.unwrap();
        }
        until(&mut socket, "hello").await;
        socket
            .write_all([GET, GET, LAST_GET].concat().as_bytes())
            .await
            .unwrap();
        assert_eq!(rest(&mut socket).await.matches("hello").count(), 3);
    }

    /// Where two could read two different requests in the same bytes, there is none (attacks.md T161).
    #[tokio::test]
    async fn no_request_hides_in_another() {
        let server = Server::start(hello(), patient());
        for doubtful in [
            "content-length: 4\r\ncontent-length: 5",
            "content-length: +4",
            "content-length: 4, 5",
            "content-length : 4",
            "transfer-encoding: xchunked",
            "transfer-encoding: chunked, identity",
        ] {
            let mut socket = server.send(form(doubtful) + "a=1&" + LAST_GET).await;
            let answer = rest(&mut socket).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{doubtful}: {answer}");
            assert!(!answer.contains("hello"), "{doubtful}: {answer}");
        }
        server.stopped().await;
    }

    #[tokio::test]
    async fn headers_have_a_largest_size() {
        let server = Server::start(hello(), patient());
        let request = |filler: usize| {
            format!(
                "GET / HTTP/1.1\r\nx: {}\r\nconnection: close\r\n\r\n",
                "a".repeat(filler)
            )
        };
        assert!(
            rest(&mut server.send(request(30_000)).await)
                .await
                .starts_with("HTTP/1.1 200")
        );
        let limits = ListenerLimits {
            linger: SHORT,
            ..patient()
        };
        let server = Server::start(hello(), limits);
        assert!(
            rest(&mut server.send(request(33_000)).await)
                .await
                .starts_with("HTTP/1.1 431")
        );
        let mut socket = server.connect().await;
        let _ = socket.write_all(request(200_000).as_bytes()).await;
        assert!(rest(&mut socket).await.starts_with("HTTP/1.1 431"));
    }

    #[tokio::test]
    async fn a_slow_body_is_answered_with_408() {
        let limits = ListenerLimits {
            request: SHORT,
            linger: SHORT,
            ..patient()
        };
        let server = Server::start(hello(), limits);
        for length in ["content-length: 5", "transfer-encoding: chunked"] {
            let answer = rest(&mut server.send(form(length)).await).await;
            assert!(
                answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn a_large_body_is_refused_and_the_answer_arrives() {
        let server = Server::start(
            hello(),
            ListenerLimits {
                linger: PATIENCE,
                ..patient()
            },
        );
        let mut socket = server.send(form("content-length: 10485760")).await;
        // All of it is sent before the answer is read, as simple programs do.
        let megabyte = vec![b'a'; 1024 * 1024];
        for _ in 0..10 {
            timeout(PATIENCE, socket.write_all(&megabyte))
                .await
                .unwrap()
                .unwrap();
        }
        socket.shutdown().await.unwrap();
        let answer = rest(&mut socket).await;
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.ends_with(r#"{"code":"too_large"}"#),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn an_endless_body_is_refused() {
        let server = Server::start(
            hello(),
            ListenerLimits {
                linger: SHORT,
                ..patient()
            },
        );
        let mut socket = server.send(form("transfer-encoding: chunked")).await;
        let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
        let endless = async { while socket.write_all(chunk.as_bytes()).await.is_ok() {} };
        timeout(PATIENCE, endless).await.expect("an endless body is read");
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_is_cut_off() {
        let large = || async { vec![b'a'; 64 * 1024 * 1024] };
        let limits = ListenerLimits {
            stalled: SHORT,
            connections: 1,
            ..patient()
        };
        let server = Server::start(Router::new().route("/", get(large)), limits);
        let _stalled = server.send(GET).await;
        let mut second = server.send(GET).await;
        until(&mut second, "HTTP/1.1 200").await;
    }

    #[tokio::test]
    async fn who_takes_an_answer_in_crumbs_is_cut_off() {
        let large = || async { vec![b'a'; 64 * 1024 * 1024] };
        let limits = ListenerLimits {
            stalled: 10 * SHORT,
            slowest: 64 * 1024 * 1024,
            ..patient()
        };
        let server = Server::start(Router::new().route("/", get(large)), limits);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL).unwrap();
        let mut socket = socket.connect(server.address).await.unwrap();
        socket.write_all(GET.as_bytes()).await.unwrap();
        let (mut taken, mut crumb) = (0, [0; 4 * 1024]);
        // Something is taken every few milliseconds, so nothing ever stands still.
        while let Ok(bytes @ 1..) = timeout(PATIENCE, socket.read(&mut crumb)).await.unwrap() {
            taken += bytes;
            assert!(taken < 4 * 1024 * 1024, "it goes on for ever");
            sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn the_system_keeps_no_answer_for_who_takes_nothing_of_it() {
        const LENGTH: usize = 2 * 1024 * 1024;
        let large = || async { vec![b'a'; LENGTH] };
        let limits = ListenerLimits {
            stalled: SHORT,
            connections: 1,
            ..patient()
        };
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let server = Server::at(listener, Router::new().route("/", get(large)), limits);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL).unwrap();
        let mut stalled = socket.connect(server.address).await.unwrap();
        stalled.write_all(GET.as_bytes()).await.unwrap();
        // There is room for another as soon as it was cut off.
        until(&mut server.send(GET).await, "HTTP/1.1 200").await;
        let mut taken = Vec::new();
        let end = timeout(PATIENCE, stalled.read_to_end(&mut taken)).await.unwrap();
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(taken.len() < LENGTH, "{}", taken.len());
    }

    #[test]
    fn the_longest_wait_for_an_answer_grows_with_what_was_taken_of_it() {
        let limits = ListenerLimits::default();
        let seconds = |bytes| {
            let taking = Taking {
                bytes,
                ..Taking::default()
            };
            taking.patience(&limits).as_secs()
        };
        assert_eq!([0, 4096, 1024 * 1024].map(seconds), [30, 31, 286]);
        // The reader of attacks.md T156, who took 4 KiB every 12 seconds.
        let waited = |crumbs: u64| 12 * crumbs;
        assert!((1..10).any(|crumbs| waited(crumbs) > seconds(4096 * crumbs)));
    }

    #[tokio::test]
    async fn a_server_that_drains_lets_visitors_in_and_keeps_none() {
        let server = Server::start(hello(), patient());
        let mut kept = server.send(GET).await;
        assert!(!until(&mut kept, "hello").await.contains("connection: close"));
        server.draining.cancel();
        kept.write_all(GET.as_bytes()).await.unwrap();
        for mut socket in [kept, server.send(GET).await] {
            let answer = rest(&mut socket).await;
            assert!(
                answer.contains("connection: close") && answer.ends_with("hello"),
                "{answer}"
            );
        }
        server.stopped().await;
    }

    #[tokio::test]
    async fn connections_beyond_the_most_wait_for_room() {
        let server = Server::start(
            hello(),
            ListenerLimits {
                connections: 1,
                ..patient()
            },
        );
        let mut first = server.send(GET).await;
        until(&mut first, "hello").await;
        let mut second = server.send(LAST_GET).await;
        assert!(
            timeout(SHORT, second.read_u8()).await.is_err(),
            "there was no room"
        );
        drop(first);
        assert!(rest(&mut second).await.ends_with("hello"));
    }

    /// A request that is answered when it is told to.
    struct Slow {
        started: Arc<Notify>,
        go_on: Arc<Notify>,
        finished: Arc<AtomicUsize>,
        router: Router,
    }

    impl Slow {
        fn new() -> Self {
            let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let finished = Arc::new(AtomicUsize::new(0));
            let parts = (started.clone(), go_on.clone(), finished.clone());
            let handler = move || {
                let (started, go_on, finished) = parts.clone();
                async move {
                    started.notify_one();
                    go_on.notified().await;
                    finished.fetch_add(1, Ordering::SeqCst);
                    "done"
                }
            };
            Self {
                started,
                go_on,
                finished,
                router: hello().route("/slow", get(handler)),
            }
        }
    }

    const SLOW: &str = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";

    #[tokio::test]
    async fn a_request_is_finished_although_its_visitor_hung_up() {
        let slow = Slow::new();
        let server = Server::start(slow.router, patient());
        let socket = server.send(SLOW).await;
        slow.started.notified().await;
        drop(socket);
        until(&mut server.send(GET).await, "hello").await;
        slow.go_on.notify_one();
        server.stopped().await;
        assert_eq!(slow.finished.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn stopping_waits_for_answers_and_for_nobody_else() {
        let slow = Slow::new();
        let server = Server::start(slow.router, patient());
        let mut idle = server.send(GET).await;
        until(&mut idle, "hello").await;
        let mut silent = server.connect().await;
        let mut half_head = server.send("GET / HTTP/1.1\r\n").await;
        let mut half_body = server.send(form("content-length: 5") + "a=").await;
        let mut asking = server.send(SLOW).await;
        slow.started.notified().await;
        server.stop.cancel();
        for socket in [&mut idle, &mut silent, &mut half_head, &mut half_body] {
            assert_eq!(rest(socket).await, "");
        }
        assert!(!server.task.is_finished());
        slow.go_on.notify_one();
        let answer = rest(&mut asking).await;
        assert!(
            answer.ends_with("done") && answer.contains("connection: close"),
            "{answer}"
        );
        server.stopped().await;
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_ever() {
        let slow = Slow::new();
        let server = Server::start(
            slow.router,
            ListenerLimits {
                shutdown: SHORT,
                ..patient()
            },
        );
        let mut socket = server.send(SLOW).await;
        slow.started.notified().await;
        server.stop.cancel();
        assert_eq!(rest(&mut socket).await, "");
        server.stopped().await;
        assert_eq!(slow.finished.load(Ordering::SeqCst), 0);
    }
}
