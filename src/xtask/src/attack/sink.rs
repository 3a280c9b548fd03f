//! A mail server of our own, which can be as unwilling as real ones.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::AbortHandle,
    time::timeout,
};

/// Longest conversation.
const CONVERSATION: Duration = Duration::from_mins(2);

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes every mail.
    Willing,
    /// Hangs up at once.
    Down,
    /// Greets after this time.
    Slow(Duration),
    /// Says 451 to every receiver.
    Later,
}

/// The running server; gone when dropped.
pub struct Sink {
    /// Port on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

struct Shared {
    mood: Mutex<Mood>,
    mailbox: Mutex<Mailbox>,
    came: Notify,
}

#[derive(Default)]
struct Mailbox {
    /// Codes by receiver, oldest first.
    codes: HashMap<String, Vec<String>>,
    mails: usize,
    /// Mails with another number of receivers than one.
    odd: usize,
}

impl Sink {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// No port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Willing),
            mailbox: Mutex::default(),
            came: Notify::new(),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self {
            port,
            shared,
            listening: task.abort_handle(),
        })
    }

    /// From now on it behaves so.
    pub fn set(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
    }

    /// How many codes this receiver has got.
    pub fn codes(&self, receiver: &str) -> usize {
        lock(&self.shared.mailbox).codes.get(receiver).map_or(0, Vec::len)
    }

    /// The newest code of this receiver, once there are more than `seen`; `None` when it does not come in time.
    pub async fn code_after(&self, receiver: &str, seen: usize, patience: Duration) -> Option<String> {
        let wait = async {
            loop {
                // Registered before looking, so that no mail slips between.
                let mut came = std::pin::pin!(self.shared.came.notified());
                came.as_mut().enable();
                if let Some(codes) = lock(&self.shared.mailbox).codes.get(receiver)
                    && codes.len() > seen
                {
                    return codes.last().cloned();
                }
                came.await;
            }
        };
        timeout(patience, wait).await.ok().flatten()
    }

    /// Mails taken, and those among them with another number of receivers than one.
    pub fn taken(&self) -> (usize, usize) {
        let mailbox = lock(&self.shared.mailbox);
        (mailbox.mails, mailbox.odd)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A conversation that breaks off is the sender's affair: a mail is taken when it came whole.
            let _ = timeout(CONVERSATION, converse(stream, &shared)).await;
        });
    }
}

/// The two directions of a conversation.
struct Line {
    lines: Lines<BufReader<OwnedReadHalf>>,
    answers: OwnedWriteHalf,
}

impl Line {
    async fn next(&mut self) -> Result<Option<String>> {
        Ok(self.lines.next_line().await?)
    }

    async fn say(&mut self, text: &str) -> Result<()> {
        self.answers.write_all(text.as_bytes()).await?;
        Ok(())
    }
}

/// What a mail server says (RFC 5321).
async fn converse(stream: TcpStream, shared: &Shared) -> Result<()> {
    let mood = *lock(&shared.mood);
    match mood {
        Mood::Down => return Ok(()),
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Willing | Mood::Later => {}
    }
    stream.set_nodelay(true)?;
    let (read, answers) = stream.into_split();
    let mut line = Line {
        lines: BufReader::new(read).lines(),
        answers,
    };
    let mut receivers = Vec::new();
    line.say("220 attack\r\n").await?;
    while let Some(said) = line.next().await? {
        let command = said.to_ascii_uppercase();
        if command.starts_with("RCPT TO:") {
            if *lock(&shared.mood) == Mood::Later {
                line.say("451 try again later\r\n").await?;
                continue;
            }
            receivers.extend(address(&said));
        } else if command == "DATA" {
            line.say("354 go on\r\n").await?;
            let subject = take(&mut line).await?;
            keep(shared, &std::mem::take(&mut receivers), &subject);
        }
        let end = command == "QUIT";
        line.say(if end { "221 bye\r\n" } else { "250 ok\r\n" }).await?;
        if end {
            break;
        }
    }
    Ok(())
}

/// Reads a mail to its end; gives its subject.
async fn take(line: &mut Line) -> Result<String> {
    let mut subject = String::new();
    loop {
        let text = line.next().await?.context("no end")?;
        if let Some(found) = text.strip_prefix("Subject: ") {
            found.clone_into(&mut subject);
        }
        if text == "." {
            return Ok(subject);
        }
    }
}

fn keep(shared: &Shared, receivers: &[String], subject: &str) {
    let mut mailbox = lock(&shared.mailbox);
    mailbox.mails += 1;
    mailbox.odd += usize::from(receivers.len() != 1);
    if let (Some(receiver), Some(code)) = (receivers.first(), code(subject)) {
        mailbox.codes.entry(receiver.clone()).or_default().push(code);
    }
    drop(mailbox);
    shared.came.notify_waiters();
}

fn address(command: &str) -> Option<String> {
    let (_, rest) = command.split_once('<')?;
    rest.split('>').next().map(str::to_lowercase)
}

/// The six digits with which the subject of a mail with a code begins.
fn code(subject: &str) -> Option<String> {
    let word = subject.split_whitespace().next()?;
    (word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_first_in_its_subject() {
        assert_eq!(
            code("012345 is your verification code").as_deref(),
            Some("012345")
        );
        assert_eq!(code("Your account is locked"), None);
        assert_eq!(code("12345678 things"), None);
    }
}
