//! The first word with PostgreSQL. The pool tries until its time is over and then says only that; an attempt of our own
//! says why there is no connection, and where none is. It also finds out a pooler that does not keep sessions apart.

use std::{io::ErrorKind, net::IpAddr, time::Duration};

use sqlx::{Connection, Error, PgConnection, Row as _, postgres::PgConnectOptions};
use tokio::{
    net::lookup_host,
    time::{Instant, sleep, timeout_at},
};

use crate::StoreError;

/// Pause between two attempts: a server that just starts refuses connections.
const AGAIN: Duration = Duration::from_millis(100);
/// What those do not know whose password has special characters.
const ENCODE: &str = "percent-encode special characters of the password, such as %40 for @ and %23 for #";

/// Which of the server's processes answers. Asked by the simple protocol, which every pooler passes on.
const WHO: &str = "SELECT pg_backend_pid()";
const POOLED: &str = "a pooler that gives every transaction another connection of the server. It must give every connection a \
    session of its own (pool_mode = session): prepared statements and locks are kept there";

/// Connects once, or says why that is not possible. A server that refuses connections is asked again until `wait` is over.
///
/// # Errors
/// [`StoreError`], with host and port.
pub(crate) async fn first_contact(connect: &PgConnectOptions, wait: Duration) -> Result<(), StoreError> {
    let until = Instant::now() + wait;
    loop {
        let attempt = timeout_at(until, attempt(connect)).await;
        let late =
            || StoreError::Unavailable(crate::Cause::new(format!("{} does not answer", place(connect))));
        match attempt.map_err(|_| late())? {
            Ok(()) => return Ok(()),
            Err(error) if is_starting(&error) && Instant::now() + AGAIN < until => sleep(AGAIN).await,
            Err(error) => return Err(explained(error, connect)),
        }
    }
}

async fn attempt(connect: &PgConnectOptions) -> Result<(), Error> {
    let host = connect.get_host();
    if is_remote(connect) && host.parse::<IpAddr>().is_err() {
        // The library's own look-up fails with an error of no kind.
        let found = lookup_host((host, connect.get_port())).await.map(drop);
        found.map_err(|_| Error::Io(ErrorKind::AddrNotAvailable.into()))?;
    }
    let mut one = PgConnection::connect_with(connect).await?;
    let mut other = PgConnection::connect_with(connect).await?;
    let shared = share_a_process(&mut one, &mut other).await;
    // They have said what they were asked; the pool makes its own.
    drop(one.close().await);
    drop(other.close().await);
    if shared? {
        return Err(Error::Configuration(Pooled.into()));
    }
    Ok(())
}

/// Somebody between here and the server does not keep sessions apart.
#[derive(Debug, thiserror::Error)]
#[error("sessions are shared")]
struct Pooled;

/// Whether two connections are served by one process, or one of them by several. While the second one's transaction holds
/// whichever served the first, the first has to be served by another; where nothing is shared, it never is.
async fn share_a_process(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, Error> {
    let first = process(one).await?;
    sqlx::raw_sql("BEGIN").execute(&mut *other).await?;
    let second = process(other).await?;
    let again = process(one).await?;
    sqlx::raw_sql("ROLLBACK").execute(other).await?;
    Ok(first == second || first != again)
}

async fn process(connection: &mut PgConnection) -> Result<String, Error> {
    // The simple protocol gives text.
    sqlx::raw_sql(WHO)
        .fetch_one(connection)
        .await?
        .try_get_unchecked(0)
}

/// As the library's pool sees it.
fn is_starting(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

fn explained(error: Error, connect: &PgConnectOptions) -> StoreError {
    let place = place(connect);
    let unavailable = |cause: String| StoreError::Unavailable(crate::Cause::new(cause));
    match &error {
        Error::Io(error) => unavailable(match error.kind() {
            ErrorKind::AddrNotAvailable => {
                format!("the host of {place} is not known; check its name, and {ENCODE}")
            }
            ErrorKind::ConnectionRefused | ErrorKind::NotFound => {
                format!("nothing listens at {place}; is PostgreSQL running there?")
            }
            kind => format!("no connection to {place}: {kind}"),
        }),
        Error::Tls(error) => unavailable(format!("no encrypted connection to {place}: {error}")),
        Error::Configuration(cause) if cause.is::<Pooled>() => {
            StoreError::other(format!("at {place} is {POOLED}"))
        }
        Error::Protocol(_) => unavailable(format!("what listens at {place} does not speak like PostgreSQL")),
        Error::Database(refused) if matches!(refused.code().as_deref(), Some("28P01" | "28000")) => {
            let cause = refused.message().to_owned();
            StoreError::other(format!(
                "{place} lets nobody in: {cause}; check user and password, and {ENCODE}"
            ))
        }
        _ => error.into(),
    }
}

/// Host and port, or the folder of the socket.
fn place(connect: &PgConnectOptions) -> String {
    let (host, port) = (connect.get_host(), connect.get_port());
    match connect.get_socket() {
        Some(socket) => format!("{} (port {port})", socket.display()),
        None if host.starts_with('/') => format!("{host} (port {port})"),
        None if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        None => format!("{host}:{port}"),
    }
}

fn is_remote(connect: &PgConnectOptions) -> bool {
    let host = connect.get_host();
    connect.get_socket().is_none() && !host.starts_with(['/', '['])
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        net::SocketAddr,
        str::FromStr,
        sync::{Arc, Mutex},
    };

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    const WAIT: Duration = Duration::from_millis(800);

    async fn refusal(url: &str) -> String {
        let connect = PgConnectOptions::from_str(url).unwrap();
        let refused = first_contact(&connect, WAIT).await.unwrap_err();
        assert!(refused.is_unavailable(), "{refused}");
        refused.to_string()
    }

    #[tokio::test]
    async fn where_nobody_answers_host_and_port_are_named() {
        let free = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let said = refusal(&format!("postgres://app:sentinel@{free}/x")).await;
        assert!(
            said.contains(&format!("nothing listens at {free}")) && !said.contains("sentinel"),
            "{said}"
        );
        let said = refusal("postgres://app:sentinel@nowhere.invalid:6432/x").await;
        assert!(
            said.contains("nowhere.invalid:6432 is not known") && said.contains("percent-encode"),
            "{said}"
        );
        let said = refusal("postgres:///x?host=/nonexistent/run&port=5433").await;
        assert!(said.contains("/nonexistent/run"), "{said}");
    }

    type Processes = Arc<Mutex<VecDeque<&'static str>>>;

    async fn say(client: &mut TcpStream, kind: u8, body: &[u8]) {
        let mut message = vec![kind];
        message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend(body);
        client.write_all(&message).await.unwrap();
    }

    async fn hear(client: &mut TcpStream) -> Vec<u8> {
        let length = client.read_u32().await.unwrap();
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        client.read_exact(&mut body).await.unwrap();
        body
    }

    /// Speaks like PostgreSQL, and names the next of these when asked which process answers.
    async fn converse(mut client: TcpStream, processes: Processes) {
        hear(&mut client).await;
        say(&mut client, b'R', &[0; 4]).await;
        say(&mut client, b'Z', b"I").await;
        while let Ok(b'Q') = client.read_u8().await {
            if hear(&mut client).await.starts_with(WHO.as_bytes()) {
                let process = processes.lock().unwrap().pop_front().unwrap();
                // One column of the type int4, as text.
                let column = b"\0\x01pid\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
                say(&mut client, b'T', column).await;
                let mut row = b"\0\x01\0\0\0".to_vec();
                row.push(u8::try_from(process.len()).unwrap());
                row.extend(process.as_bytes());
                say(&mut client, b'D', &row).await;
            }
            say(&mut client, b'C', b"SELECT 1\0").await;
            say(&mut client, b'Z', b"I").await;
        }
    }

    async fn answered_by(processes: [&'static str; 3]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let processes = Arc::new(Mutex::new(VecDeque::from(processes)));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(converse(client, Arc::clone(&processes)));
            }
        });
        at
    }

    #[tokio::test]
    async fn a_pooler_that_does_not_keep_sessions_apart_is_found_out() {
        let contact = async |processes| {
            let at = answered_by(processes).await;
            let url = format!("postgres://app@{at}/x?sslmode=disable");
            first_contact(&PgConnectOptions::from_str(&url).unwrap(), WAIT).await
        };
        assert_eq!(contact(["7", "8", "7"]).await, Ok(()));
        // The second connection has the process of the first, or the first has another than before.
        for pooled in [["7", "7", "8"], ["7", "8", "9"]] {
            let refused = contact(pooled).await.unwrap_err();
            assert!(!refused.is_unavailable(), "{refused}");
            assert!(refused.to_string().contains("pool_mode = session"), "{refused}");
        }
    }

    #[tokio::test]
    async fn who_is_silent_and_who_speaks_otherwise_is_told_apart() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = silent.local_addr().unwrap();
        let said = refusal(&format!("postgres://app@{at}/x?sslmode=disable")).await;
        assert!(said.contains(&format!("{at} does not answer")), "{said}");

        let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = web.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = web.accept().await {
                let _ = client.read(&mut [0; 1024]).await;
                let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        let said = refusal(&format!("postgres://app@{at}/x?sslmode=disable")).await;
        assert!(said.contains(&at.to_string()), "{said}");
    }
}
