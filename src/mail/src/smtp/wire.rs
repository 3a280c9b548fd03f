//! What stands between the socket and the library that speaks SMTP: TLS, and a reader of answers that takes what servers
//! say as RFC 5321 means it. The library compares keywords letter by letter, wants UTF-8 and a blank behind every code.

use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// Longest line that is waited for; a longer one is passed on in pieces, and the library refuses it.
const LINE_MAX: usize = 4096;
/// What a server says that was not asked: the greeting of a connection that has been greeted already.
const GREETING: &[u8] = b"220 \r\n";

/// A connection whose answers are brought into the form that the library reads.
pub(super) struct Wire<S> {
    stream: S,
    /// What came and is no whole line yet.
    line: Vec<u8>,
    /// Lines to hand out, and how much of them has been.
    ready: Vec<u8>,
    taken: usize,
    /// Whether the answer that comes is one to EHLO.
    hello: bool,
}

impl<S> Wire<S> {
    /// A connection on which the server speaks first.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            line: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            hello: false,
        }
    }

    /// One that was greeted before it was encrypted.
    pub(super) fn greeted(stream: S) -> Self {
        Self {
            ready: GREETING.to_vec(),
            ..Self::new(stream)
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.ready.extend(read_line(&line, &mut self.hello).into_bytes());
            }
        }
        if self.line.len() > LINE_MAX {
            self.ready.append(&mut self.line);
        }
    }
}

/// A line of an answer as the library reads it. `hello`: whether it belongs to an answer to EHLO; the last line ends that.
fn read_line(line: &[u8], hello: &mut bool) -> String {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches(['\r', '\n']);
    // RFC 5321, 4.2: the text may be missing, and the blank before it too.
    let blank = if line.len() == 3 { " " } else { "" };
    if !*hello {
        return format!("{line}{blank}\r\n");
    }
    *hello = line.as_bytes().get(3) == Some(&b'-');
    let line = line.to_ascii_uppercase();
    // Servers of before RFC 2554 were made final put "=" behind AUTH, many beside the right line.
    let (code, words) = line.split_at_checked(4).unwrap_or((&line, ""));
    match words.strip_prefix("AUTH=") {
        Some(mechanisms) => format!("{code}AUTH {mechanisms}\r\n"),
        None => format!("{line}{blank}\r\n"),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        loop {
            let waiting = &wire.ready[wire.taken..];
            if !waiting.is_empty() {
                let fits = waiting.len().min(into.remaining());
                into.put_slice(&waiting[..fits]);
                wire.taken += fits;
                return Poll::Ready(Ok(()));
            }
            (wire.ready, wire.taken) = (Vec::new(), 0);
            let mut bytes = [0; 1024];
            let mut came = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut wire.stream).poll_read(context, &mut came))?;
            if came.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            wire.take(came.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A line of a mail that begins so does no harm: of the answer to a mail only the code counts.
        self.hello = bytes.starts_with(b"EHLO ");
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Wire<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncTokioStream for Wire<TlsStream<TcpStream>> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

/// A second handle of the same connection, for when the library has done its part: it gives none back.
pub(super) fn twins(stream: TcpStream) -> io::Result<[TcpStream; 2]> {
    let one = stream.into_std()?;
    let other = one.try_clone()?;
    Ok([TcpStream::from_std(one)?, TcpStream::from_std(other)?])
}

/// Encrypts a connection to this host.
pub(super) async fn encrypt(
    stream: TcpStream,
    tls: &Arc<ClientConfig>,
    host: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ErrorKind::InvalidInput)?;
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What the library reads of what a server says.
    async fn read(said: &[u8], hello: bool) -> String {
        let (near, mut far) = tokio::io::duplex(8192);
        let mut wire = Wire::new(near);
        wire.write_all(if hello { b"EHLO me\r\n" } else { b"NOOP\r\n" })
            .await
            .unwrap();
        far.write_all(said).await.unwrap();
        drop(far);
        let mut read = String::new();
        wire.read_to_string(&mut read).await.unwrap();
        read
    }

    #[tokio::test]
    async fn keywords_of_a_hello_are_read_in_any_case_and_with_an_equals_sign() {
        let said =
            b"250-Mail.test\r\n250-starttls\r\n250-Auth=login plain\r\n250-auth Plain\r\n250 8bitMime\r\n";
        assert_eq!(
            read(said, true).await,
            "250-MAIL.TEST\r\n250-STARTTLS\r\n250-AUTH LOGIN PLAIN\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n"
        );
        // What follows the answer is none of it.
        assert_eq!(
            read(b"250 auth plain\r\n550 Nobody Here\r\n", true).await,
            "250 AUTH PLAIN\r\n550 Nobody Here\r\n"
        );
    }

    #[tokio::test]
    async fn answers_are_read_without_text_in_other_alphabets_and_with_one_sign_at_a_lines_end() {
        assert_eq!(read(b"334\r\n250\n", false).await, "334 \r\n250 \r\n");
        assert_eq!(
            read(b"550 Empf\xe4nger unbekannt\r\n", false).await,
            "550 Empf\u{fffd}nger unbekannt\r\n"
        );
        assert_eq!(read(b"250 cut o", false).await, "");
        assert_eq!(read(&[b'a'; 5000], false).await.len(), 5000);
    }

    #[tokio::test]
    async fn an_encrypted_connection_is_greeted_in_the_servers_place() {
        let (near, far) = tokio::io::duplex(64);
        drop(far);
        let mut read = String::new();
        Wire::greeted(near).read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "220 \r\n");
    }
}
