//! Whoever waits in line for longer than a moment: where they stand, and the answer once there is one (product.md 4.10).

use sqlx::FromRow;
use vestibule_core::{id::NodeId, ports::Moment, secret::TokenHash};

use crate::{
    Reader, StoreError, Writer,
    link::{execute, optional},
};

const INSERT: &str =
    "INSERT INTO sign_in_ticket (token_hash, node, lane, place, expires_at) VALUES ($1, $2, $3, $4, $5)";
const ANSWER: &str = "UPDATE sign_in_ticket SET answer = $2, expires_at = $3 WHERE token_hash = $1";
pub(crate) const BY_TOKEN: &str = "SELECT ticket.place, line.front, line.seen_at, ticket.expires_at, ticket.answer \
    FROM sign_in_ticket AS ticket \
    LEFT JOIN sign_in_line AS line ON line.node = ticket.node AND line.lane = ticket.lane \
    WHERE ticket.token_hash = $1";
pub(crate) const DROP: &str = "DELETE FROM sign_in_ticket WHERE token_hash = $1";
const ADVANCE: &str = "INSERT INTO sign_in_line (node, lane, front, seen_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (node, lane) DO UPDATE SET front = excluded.front, seen_at = excluded.seen_at";

/// Somebody who begins to wait where they can see it.
#[derive(Clone, Debug)]
pub struct NewTicket<'a> {
    /// Hash of the token in the browser.
    pub token_hash: TokenHash,
    /// The node in whose line they stand.
    pub node: NodeId,
    /// The lane of that line.
    pub lane: &'a str,
    /// The place in the lane.
    pub place: i64,
    /// When the ticket is worth nothing any more.
    pub expires_at: Moment,
}

/// A ticket as it stands.
#[derive(Clone, Debug, FromRow)]
pub struct TicketRow {
    /// The place in its lane.
    pub place: i64,
    /// How far the lane has come: the number in line is the difference. `None`: its node has told nothing yet.
    pub front: Option<i64>,
    /// When the node told that.
    pub seen_at: Option<Moment>,
    /// When the ticket is worth nothing any more.
    pub expires_at: Moment,
    /// The sealed answer.
    pub answer: Option<Vec<u8>>,
}

impl Reader {
    /// The ticket of a browser.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ticket_by_token(&mut self, token: TokenHash) -> Result<Option<TicketRow>, StoreError> {
        optional!(self, TicketRow, BY_TOKEN, &token.0[..])
    }
}

impl Writer {
    /// Keeps a ticket.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_ticket(&mut self, ticket: &NewTicket<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            &ticket.token_hash.0[..],
            ticket.node.0,
            ticket.lane,
            ticket.place,
            ticket.expires_at
        )
        .map(drop)
    }

    /// Puts the sealed answer to a ticket, to be fetched until a moment. `false`: it was thrown away meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer_ticket(
        &mut self,
        token: TokenHash,
        answer: &[u8],
        until: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, ANSWER, &token.0[..], answer, until)? == 1)
    }

    /// Throws a ticket away, with its answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_ticket(&mut self, token: TokenHash) -> Result<(), StoreError> {
        execute!(self, DROP, &token.0[..]).map(drop)
    }

    /// Tells how far a lane of a node has come. Each node writes its own rows only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advance_line(
        &mut self,
        node: NodeId,
        lane: &str,
        front: i64,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, ADVANCE, node.0, lane, front, now).map(drop)
    }
}
