//! The servers that share the database, as each of them says of itself.

use serde::Serialize;
use vestibule_core::ports::Moment;
use vestibule_service::keys::KeyFingerprint;
use vestibule_storage::NodeRow;

use super::{Refused, Streams, acts, output, sentences};
use crate::config::Config;

#[derive(Serialize)]
struct NodeView {
    id: String,
    host: Option<String>,
    version: String,
    started_at: Moment,
    seen_at: Moment,
    clock_offset_milliseconds: i64,
    key_version: Option<u32>,
    key_fingerprint: Option<String>,
}

impl From<NodeRow> for NodeView {
    fn from(node: NodeRow) -> Self {
        Self {
            id: node.id.0.to_string(),
            host: node.host,
            version: node.version,
            started_at: node.started_at,
            seen_at: node.seen_at,
            clock_offset_milliseconds: node.clock_offset.num_milliseconds(),
            key_version: node.key.map(|(version, _)| version),
            key_fingerprint: node
                .key
                .map(|(_, fingerprint)| KeyFingerprint(fingerprint).to_string()),
        }
    }
}

/// Lists them.
pub(super) async fn list(config: &Config, json: bool, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let store = acts::open_prepared_store(config).await?;
    let nodes = async { store.read().await?.nodes().await }.await;
    store.close().await;
    let nodes = nodes.map_err(|error| Refused::because(sentences::store(&error)))?;
    let nodes: Vec<NodeView> = nodes.into_iter().map(NodeView::from).collect();
    if json {
        return Ok(output::json(streams.output, &nodes)?);
    }
    if nodes.is_empty() {
        writeln!(
            streams.errors,
            "No server has been on this database within the last day."
        )?;
        return Ok(());
    }
    let moment = |moment: Moment| moment.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let unknown = || "unknown".to_owned();
    let rows = nodes.into_iter().map(|node| {
        let key = node.key_version.zip(node.key_fingerprint);
        [
            node.host.unwrap_or_else(unknown),
            node.version,
            moment(node.started_at),
            moment(node.seen_at),
            format!("{:+} ms", node.clock_offset_milliseconds),
            key.map_or_else(unknown, |(version, fingerprint)| {
                format!("{version}: {fingerprint}")
            }),
        ]
    });
    let head = ["HOST", "VERSION", "STARTED", "LAST SEEN", "CLOCK", "NEWEST KEY"];
    Ok(output::table(streams.output, head, rows)?)
}
