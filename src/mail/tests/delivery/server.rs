//! A small mail server that behaves as badly as a test wants it to.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

/// Where in a conversation something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the whole mail was sent.
    End,
}

/// What the server does instead of saying yes.
#[derive(Clone, Debug)]
pub enum Mischief {
    Answer(String),
    /// Says nothing and keeps the connection.
    Hang,
    /// Says what is usual, but only after this long.
    Late(Duration),
    /// Closes the connection.
    Drop,
}

/// How the server encrypts.
#[derive(Clone, Default)]
pub enum Tls {
    #[default]
    Never,
    /// By STARTTLS.
    Upgrade(TlsAcceptor),
    Implicit(TlsAcceptor),
}

#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub data: String,
    pub encrypted: bool,
}

#[derive(Default)]
struct State {
    mischief: Option<(Stage, Mischief)>,
    /// Mails to this receiver hang after RCPT.
    slow_receiver: Option<String>,
    /// The lines that follow the name in an answer to EHLO, instead of the usual ones. One that offers STARTTLS is said
    /// only where it is possible.
    offers: Option<Vec<String>>,
    /// What somebody on the way adds to the answer to STARTTLS.
    added: String,
    /// What LOGIN asks, as it is sent.
    prompts: Vec<String>,
    mails: Vec<Received>,
    credentials: Vec<String>,
    connections: usize,
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    open: watch::Sender<usize>,
    /// Closes all connections when it changes.
    kick: watch::Sender<u64>,
    tls: Tls,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Tls::Never).await
    }

    pub async fn start_with(tls: Tls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            open: watch::Sender::new(0),
            kick: watch::Sender::new(0),
            tls,
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = accepting.clone();
                server.state.lock().unwrap().connections += 1;
                server.open.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    let mut kicked = server.kick.subscribe();
                    tokio::select! {
                        _ = server.serve(stream) => {}
                        _ = kicked.changed() => {}
                    }
                    server.open.send_modify(|open| *open -= 1);
                });
            }
        });
        server
    }

    pub fn misbehave(&self, stage: Stage, mischief: Mischief) {
        self.state.lock().unwrap().mischief = Some((stage, mischief));
    }

    pub fn behave(&self) {
        self.state.lock().unwrap().mischief = None;
    }

    pub fn be_slow_for(&self, receiver: &str) {
        self.state.lock().unwrap().slow_receiver = Some(receiver.to_owned());
    }

    /// Says these lines in answer to EHLO, after its name.
    pub fn offer(&self, lines: &[&str]) {
        self.state.lock().unwrap().offers = Some(lines.iter().map(|line| (*line).to_owned()).collect());
    }

    /// Sends this, unencrypted, behind the answer to STARTTLS.
    pub fn add_to_starttls(&self, added: &str) {
        added.clone_into(&mut self.state.lock().unwrap().added);
    }

    /// Asks these in LOGIN.
    pub fn ask(&self, prompts: &[&str]) {
        self.state.lock().unwrap().prompts = prompts.iter().map(|prompt| (*prompt).to_owned()).collect();
    }

    pub fn mails(&self) -> Vec<Received> {
        self.state.lock().unwrap().mails.clone()
    }

    pub fn credentials(&self) -> Vec<String> {
        self.state.lock().unwrap().credentials.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits until this many connections are open.
    pub async fn wait_for_open(&self, wanted: usize) {
        self.open
            .subscribe()
            .wait_for(|open| *open == wanted)
            .await
            .unwrap();
    }

    pub fn close_connections(&self) {
        self.kick.send_modify(|kicks| *kicks += 1);
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        match &self.tls {
            Tls::Never => self.converse(stream, false, true).await.map(drop),
            Tls::Implicit(acceptor) => {
                let stream = acceptor.accept(stream).await?;
                self.converse(stream, true, true).await.map(drop)
            }
            Tls::Upgrade(acceptor) => match self.converse(stream, false, true).await? {
                Some(stream) => {
                    let stream = acceptor.accept(stream).await?;
                    self.converse(stream, true, false).await.map(drop)
                }
                None => Ok(()),
            },
        }
    }

    /// Speaks until the client leaves, or hands the stream back for STARTTLS.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        encrypted: bool,
        greet: bool,
    ) -> io::Result<Option<S>> {
        let mut stream = BufReader::new(stream);
        if greet {
            self.answer(&mut stream, Stage::Greeting, "220 test").await?;
        }
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let line = read_line(&mut stream).await?;
            let (command, rest) = line.split_at(line.len().min(4));
            match command.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let starttls = matches!(self.tls, Tls::Upgrade(_)) && !encrypted;
                    let usual = || {
                        ["STARTTLS", "AUTH PLAIN LOGIN", "8BITMIME"]
                            .map(str::to_owned)
                            .to_vec()
                    };
                    let mut offers = self.state.lock().unwrap().offers.clone().unwrap_or_else(usual);
                    offers.retain(|offer| starttls || !offer.eq_ignore_ascii_case("starttls"));
                    offers.insert(0, "test".to_owned());
                    let last = offers.pop().unwrap_or_default();
                    for offer in offers {
                        say(&mut stream, &format!("250-{offer}")).await?;
                    }
                    say(&mut stream, &format!("250 {last}")).await?;
                }
                "STAR" => {
                    let added = self.state.lock().unwrap().added.clone();
                    stream.write_all(format!("220 go\r\n{added}").as_bytes()).await?;
                    stream.flush().await?;
                    return Ok(Some(stream.into_inner()));
                }
                "AUTH" => {
                    self.state.lock().unwrap().credentials.push(line.clone());
                    if line == "AUTH LOGIN" {
                        let prompts = self.state.lock().unwrap().prompts.clone();
                        for prompt in prompts {
                            say(&mut stream, &prompt).await?;
                            let line = read_line(&mut stream).await?;
                            self.state.lock().unwrap().credentials.push(line);
                        }
                    }
                    self.answer(&mut stream, Stage::Auth, "235 welcome").await?;
                }
                "MAIL" => {
                    from = between_brackets(rest);
                    self.answer(&mut stream, Stage::Mail, "250 sender ok").await?;
                }
                "RCPT" => {
                    to = between_brackets(rest);
                    let slow = self.state.lock().unwrap().slow_receiver.as_ref() == Some(&to);
                    if slow {
                        hang(&mut stream).await?;
                    }
                    self.answer(&mut stream, Stage::Rcpt, "250 receiver ok").await?;
                }
                "DATA" => {
                    if !self.answer(&mut stream, Stage::Data, "354 go ahead").await? {
                        continue;
                    }
                    let mut data = String::new();
                    loop {
                        let line = read_line(&mut stream).await?;
                        if line == "." {
                            break;
                        }
                        data.push_str(line.strip_prefix('.').unwrap_or(&line));
                        data.push_str("\r\n");
                    }
                    if self.answer(&mut stream, Stage::End, "250 taken").await? {
                        let mail = Received {
                            from: from.clone(),
                            to: to.clone(),
                            data,
                            encrypted,
                        };
                        self.state.lock().unwrap().mails.push(mail);
                    }
                }
                "NOOP" => say(&mut stream, "250 here").await?,
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return Ok(None);
                }
                _ => say(&mut stream, "500 what").await?,
            }
        }
    }

    /// Says `usual` and returns true, or does what it was told to do at this stage.
    async fn answer<S: AsyncBufReadExt + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        stage: Stage,
        usual: &str,
    ) -> io::Result<bool> {
        let mischief = self
            .state
            .lock()
            .unwrap()
            .mischief
            .clone()
            .filter(|(at, _)| *at == stage);
        match mischief {
            None => say(stream, usual).await.map(|()| true),
            Some((_, Mischief::Answer(answer))) => say(stream, &answer).await.map(|()| false),
            Some((_, Mischief::Hang)) => hang(stream).await,
            Some((_, Mischief::Late(by))) => {
                tokio::time::sleep(by).await;
                say(stream, usual).await.map(|()| true)
            }
            Some((_, Mischief::Drop)) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// Says nothing until the client has closed the connection.
async fn hang<S: AsyncBufReadExt + Unpin>(stream: &mut S) -> io::Result<bool> {
    loop {
        read_line(stream).await?;
    }
}

async fn read_line<S: AsyncBufReadExt + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn between_brackets(text: &str) -> String {
    text.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
