//! The program as a service manager and an operator meet it: signals, the log, the working folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// More requests than a pipe has room for log lines.
const MANY: usize = 600;

/// A server in a folder of its own. It is killed with the test.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Server {
    /// Starts it with these settings. Its log goes into a pipe that nobody reads, unless somebody takes it.
    fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_by("exec \"$0\" serve", settings, |_| {})
    }

    /// The same by a line of shell, in a folder that is prepared first.
    fn start_by(line: &str, settings: &[(&str, &str)], prepare: impl FnOnce(&std::path::Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new("sh")
            .args(["-c", line, env!("CARGO_BIN_EXE_vestibule")])
            .current_dir(folder.path())
            .env_clear()
            .env("VESTIBULE_LISTEN", format!("127.0.0.1:{port}"))
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { folder, port, child };
        wait_until("it answers", || server.get("/healthz").is_some());
        server
    }

    /// The answer, head and body, when there is one.
    fn get(&self, path: &str) -> Option<String> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = format!("127.0.0.1:{}", self.port);
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    /// The status of a kept connection's answer, and whether the server ends the connection.
    fn get_kept(&self, path: &str) -> (String, bool) {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n",
            self.port
        )
        .unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(socket);
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        (head.clone(), head.contains("connection: close"))
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        wait_until("it ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    /// Reads the log from now on.
    fn log(&mut self) -> Log {
        Log::of(self.child.stdout.take().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a log as they come.
struct Log(Receiver<String>);

impl Log {
    fn of(output: ChildStdout) -> Self {
        let (lines, received) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        Self(received)
    }

    /// The next line that holds this.
    fn line(&self, part: &str) -> String {
        loop {
            let line = self.0.recv_timeout(PATIENCE);
            assert!(line.is_ok(), "no line says {part:?}");
            let line = line.unwrap();
            if line.contains(part) {
                return line;
            }
        }
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not in time");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_log_that_nobody_reads_neither_stops_the_server_nor_its_end() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let metrics = free.local_addr().unwrap();
    drop(free);
    let mut server = Server::start(&[
        ("VESTIBULE_METRICS_LISTEN", &metrics.to_string()),
        ("VESTIBULE_DRAIN_SECONDS", "0"),
    ]);
    for number in 0..MANY {
        assert!(
            server.get("/robots.txt").is_some(),
            "no answer to request {number}"
        );
    }
    let mut socket = TcpStream::connect(metrics).unwrap();
    write!(
        socket,
        "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut numbers = String::new();
    socket.read_to_string(&mut numbers).unwrap();
    assert!(
        numbers.contains("vestibule_log_lines_dropped_total "),
        "{numbers}"
    );
    server.signal(Signal::TERM);
    assert!(server.ended().success());
    // It was full indeed.
    let mut log = String::new();
    server
        .child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(log.len() > 60_000 && !log.contains("stopped"), "{}", log.len());
}

#[test]
fn after_sigterm_balancers_are_told_while_visitors_still_come_in() {
    let mut server = Server::start(&[("VESTIBULE_DRAIN_SECONDS", "600")]);
    let log = server.log();
    assert!(server.get("/readyz").unwrap().starts_with("HTTP/1.1 200"));
    assert!(!server.get_kept("/login").1);
    server.signal(Signal::TERM);
    log.line("about to stop");
    let ready = server.get("/readyz").unwrap();
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.ends_with(r#"{"node":"draining"}"#),
        "{ready}"
    );
    let (head, closes) = server.get_kept("/login");
    assert!(head.starts_with("HTTP/1.1 200") && closes, "{head}");
    // Whoever asks a second time means now.
    server.signal(Signal::TERM);
    assert!(server.ended().success());
    log.line("stopped");
}

#[test]
fn whoever_sits_at_the_terminal_does_not_wait() {
    let mut server = Server::start(&[("VESTIBULE_DRAIN_SECONDS", "600")]);
    server.signal(Signal::INT);
    assert!(server.ended().success());
}

#[test]
fn sighup_reads_anew_what_can_change_and_keeps_the_old_where_the_new_is_wrong() {
    let settings = |text: &str| format!("terms = \"terms.md\"\n{text}\n");
    let mut server = Server::start_by("exec \"$0\" serve", &[], |folder| {
        fs::write(folder.join("vestibule.toml"), settings("")).unwrap();
        fs::write(folder.join("terms.md"), "# The first terms").unwrap();
    });
    let log = server.log();
    let write = |name: &str, text: &str| fs::write(server.folder.path().join(name), text).unwrap();
    assert!(server.get("/terms").unwrap().contains("The first terms"));

    write("terms.md", "# The second terms");
    write(
        "vestibule.toml",
        &settings("log = \"debug\"\nshutdown_seconds = 7"),
    );
    server.signal(Signal::HUP);
    let line = log.line("settings were read anew");
    assert!(
        line.contains("key_file, log, terms and privacy")
            && line.contains("needs_restart=\"shutdown_seconds\""),
        "{line}"
    );
    assert!(server.get("/terms").unwrap().contains("The second terms"));
    log.line("DEBUG");

    write("terms.md", "# The third terms");
    write("vestibule.toml", &settings("log = \"inof\""));
    write("vestibule.key", "nonsense");
    server.signal(Signal::HUP);
    let line = log.line("the old ones stay");
    assert!(
        line.contains("key_file") && line.contains("which is no level"),
        "{line}"
    );
    assert!(server.get("/terms").unwrap().contains("The second terms"));
    assert!(server.get("/readyz").unwrap().starts_with("HTTP/1.1 200"));

    for signal in [Signal::USR1, Signal::USR2, Signal::QUIT] {
        server.signal(signal);
    }
    assert!(server.get("/healthz").is_some());
    server.signal(Signal::INT);
    assert!(server.ended().success(), "no other signal ended it");
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
    let mut server = Server::start_by("ulimit -S -n 200; exec \"$0\" serve", &[], |_| {});
    let line = server.log().line("the limit of open files was raised");
    assert!(line.contains("from=200"), "{line}");
    let mut server = Server::start_by("ulimit -n 200; exec \"$0\" serve", &[], |_| {});
    let line = server.log().line("few files may be open at once");
    assert!(
        line.contains("limit=200") && line.contains("enough=10100"),
        "{line}"
    );
}

#[test]
fn a_command_in_the_wrong_folder_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap()
    };
    let refused = run(&["company", "create", "--name", "Acme"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    let database = folder.path().canonicalize().unwrap().join("vestibule.db");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains(&format!("There is no database {}.", database.display())),
        "{said}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(run(&["migrate"]).status.success());
    assert!(run(&["company", "create", "--name", "Acme"]).status.success());
}

#[test]
fn the_demo_plays_google_and_office_365_and_a_server_does_not() {
    let demo = Server::start_by(
        "exec \"$0\" demo --listen \"$VESTIBULE_LISTEN\" --data demo",
        &[],
        |_| {},
    );
    let login = demo.get("/login").unwrap();
    for provider in ["google", "office365"] {
        assert!(login.contains(&format!("/auth/{provider}/start")), "{login}");
        let asked = "client_id=a&redirect_uri=http://127.0.0.1/&state=s&nonce=n&code_challenge=c";
        let page = demo
            .get(&format!("/_test/providers/{provider}/authorize?{asked}"))
            .unwrap();
        assert!(page.contains("Continue as alice@demo.test"), "{page}");
    }
    let server = Server::start(&[("VESTIBULE_DATABASE_URL", "sqlite://v.db")]);
    let login = server.get("/login").unwrap();
    let keys = server.get("/_test/providers/google/keys").unwrap();
    assert!(!login.contains("/auth/google/start"), "{login}");
    // The test kit plays them for servers that name it.
    assert_eq!(
        keys.starts_with("HTTP/1.1 404"),
        !cfg!(feature = "test-kit"),
        "{keys}"
    );
}
