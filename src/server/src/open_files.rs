//! How many files and sockets this process may have open: service managers give 1024 unless asked, which is fewer than
//! the connections Vestibule takes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::listener::ListenerLimits;

/// Files besides visitors' connections: databases, mail servers, providers, the log.
const OTHERS: u64 = 100;
/// More than ever makes sense; some systems say there is no limit at all and then refuse that number.
const MOST: u64 = 1024 * 1024;

/// Raises the limit as far as the process may, says so in the log, and gives it.
pub fn raise_limit() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let known = |limit: Option<u64>| limit.unwrap_or(MOST);
    let wanted = known(before.maximum).min(MOST);
    let mut limit = known(before.current);
    if limit < wanted {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: before.maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => {
                tracing::info!(from = limit, to = wanted, "the limit of open files was raised");
                limit = wanted;
            }
            Err(error) => tracing::warn!(%error, limit, "the limit of open files cannot be raised"),
        }
    }
    let enough = most_connections() + OTHERS;
    if limit < enough {
        tracing::warn!(
            limit,
            enough,
            "few files may be open at once, so fewer visitors can come at once: raise the limit (LimitNOFILE, ulimit -n)"
        );
    }
    limit
}

/// How many connections there may be when so many files may be open: the others keep their share.
pub fn connections(limit: u64) -> usize {
    let connections = limit
        .saturating_sub(OTHERS)
        .max(limit / 2)
        .clamp(1, most_connections());
    usize::try_from(connections).unwrap_or(usize::MAX)
}

fn most_connections() -> u64 {
    ListenerLimits::default()
        .connections
        .try_into()
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_rest() {
        for (limit, taken) in [
            (1_000_000, 10_000),
            (10_100, 10_000),
            (1024, 924),
            (256, 156),
            (100, 50),
            (0, 1),
        ] {
            assert_eq!(connections(limit), taken, "{limit}");
        }
    }
}
