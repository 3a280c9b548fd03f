//! The first word with PostgreSQL. The pool tries until its time is over and then says only that; an attempt of our own
//! says why there is no connection, and where none is.

use std::{io::ErrorKind, net::IpAddr, time::Duration};

use sqlx::{Connection, Error, PgConnection, postgres::PgConnectOptions};
use tokio::{
    net::lookup_host,
    time::{Instant, sleep, timeout_at},
};

use crate::StoreError;

/// Pause between two attempts: a server that just starts refuses connections.
const AGAIN: Duration = Duration::from_millis(100);
/// What those do not know whose password has special characters.
const ENCODE: &str = "percent-encode special characters of the password, such as %40 for @ and %23 for #";

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
    let connection = PgConnection::connect_with(connect).await?;
    // It has said what it was asked; the pool makes its own.
    drop(connection.close().await);
    Ok(())
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
    use std::str::FromStr;

    use tokio::{io::AsyncReadExt as _, net::TcpListener};

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
                let _ = tokio::io::AsyncWriteExt::write_all(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    .await;
            }
        });
        let said = refusal(&format!("postgres://app@{at}/x?sslmode=disable")).await;
        assert!(said.contains(&at.to_string()), "{said}");
    }
}
