//! Waiting in line where it can be seen: a ticket in the browser, good on every node (product.md 4.10).
//!
//! The node in whose line somebody stands keeps the password and does the work; the ticket holds a place, and in the end
//! the answer, sealed for whoever has the ticket. So the page that waits never sends the password again.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{
    limits::{TICKET_ANSWER_SECONDS, TICKET_SECONDS, TICKET_SILENT_SECONDS},
    refusal::Refusal,
    secret::Token,
};
use vestibule_storage::{NewTicket, StoreError, TicketRow};
use zeroize::Zeroizing;

#[cfg(feature = "test-support")]
use crate::hashing::{Lane, Place, Turn};
use crate::{
    Service, SignIn, Visitor,
    counted::patiently,
    keys::{Purpose, Unsealable},
};

/// How long an answer waits for a database that is away.
const ANSWER_PATIENCE: Duration = Duration::from_mins(1);

/// A ticket that was just taken.
pub struct Taken {
    /// For the browser.
    pub ticket: Token,
    /// The answer to the browser's ticket before, which nobody fetches any more.
    pub overtaken: Option<Zeroizing<Vec<u8>>>,
}

/// How somebody with a ticket stands.
pub enum Standing {
    /// In line, as this number.
    Waiting(u32),
    /// What came of it, as it was handed to [`crate::SignIn::answer_ticket`].
    Answered(Zeroizing<Vec<u8>>),
    /// It is no ticket, or no more: too old, or the node in whose line it stood is gone.
    Over,
}

impl SignIn {
    /// A ticket for a visitor who stands in line; `None` when it has become their turn. The browser's newest ticket is the
    /// only one: `before`, its last, is thrown away.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn take_ticket(
        &self,
        before: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<Option<Taken>, Refusal> {
        let taken = async {
            // Whoever gets a ticket waits anyway: their rows must not stand before what others write.
            let _turn = self.inner.ticket_turns.acquire().await.ok();
            let Some((lane, place)) = visitor.place.get() else {
                return Ok(None);
            };
            let ticket = Token::new(self.random());
            let mut writer = self.inner.store.write().await?;
            let mut overtaken = None;
            if let Some(before) = before {
                let row = writer.ticket_by_token(before.hash()).await?;
                overtaken = row
                    .and_then(|row| row.answer)
                    .and_then(|sealed| self.open_answer(before, &sealed).ok());
                writer.drop_ticket(before.hash()).await?;
            }
            writer
                .insert_ticket(&NewTicket {
                    token_hash: ticket.hash(),
                    node: self.inner.node.id,
                    lane: lane.as_str(),
                    place,
                    expires_at: self.database_now() + TimeDelta::seconds(TICKET_SECONDS),
                })
                .await?;
            writer.commit().await?;
            Ok(Some(Taken { ticket, overtaken }))
        };
        visitor.attempt(taken).await
    }

    /// Puts the answer to a ticket, to be fetched for two minutes by whoever has it. `false`: nobody has it any more. While
    /// the database is away this waits for a while.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer_ticket(&self, ticket: &Token, answer: &[u8]) -> Result<bool, StoreError> {
        let hash = ticket.hash();
        let sealed = self
            .inner
            .keys
            .seal(Purpose::Ticket, &hash.0, answer, self.random())
            .map_err(|_| StoreError::unsealable())?;
        patiently(ANSWER_PATIENCE, async || {
            let until = self.database_now() + TimeDelta::seconds(TICKET_ANSWER_SECONDS);
            let mut writer = self.inner.store.write_one().await?;
            let wanted = writer.answer_ticket(hash, &sealed, until).await?;
            writer.commit().await?;
            Ok(wanted)
        })
        .await
    }

    /// How the visitor with this ticket stands.
    ///
    /// # Errors
    /// Only when the database fails: the place in line is kept.
    pub async fn standing(&self, ticket: &Token, visitor: &Visitor) -> Result<Standing, Refusal> {
        visitor
            .attempt(async {
                let mut reader = self.inner.store.read().await?;
                let row = reader.ticket_by_token(ticket.hash()).await?;
                drop(reader);
                let Some(row) = row.filter(|row| self.database_now() < row.expires_at) else {
                    return Ok(Standing::Over);
                };
                if let Some(sealed) = &row.answer {
                    return Ok(Standing::Answered(self.open_answer(ticket, sealed)?));
                }
                Ok(if self.is_silent(&row) {
                    Standing::Over
                } else {
                    Standing::Waiting(number_of(&row))
                })
            })
            .await
    }

    /// How many wait in this node's line.
    pub fn waiting_in_line(&self) -> usize {
        self.inner.hasher.line().waiting()
    }

    /// Tells the other nodes how far this one's line has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell_line(&self) -> Result<(), StoreError> {
        let now = self.database_now();
        let fronts = self.inner.hasher.line().fronts();
        let mut writer = self.inner.store.write().await?;
        for (lane, front) in fronts {
            writer
                .advance_line(self.inner.node.id, lane.as_str(), front, now)
                .await?;
        }
        writer.commit().await
    }

    /// Holds every turn of this node's hashing threads until the result is dropped: what a shift start does.
    #[cfg(feature = "test-support")]
    pub async fn hold_line(&self) -> Vec<Turn> {
        let line = self.inner.hasher.line();
        let mut turns = Vec::new();
        for _ in 0..line.turns() {
            turns.extend(line.turn(Lane::Known, None, &Place::default()).await);
        }
        turns
    }
}

impl Service {
    fn open_answer(&self, ticket: &Token, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        self.inner.keys.open(Purpose::Ticket, &ticket.hash().0, sealed)
    }

    /// Whether the node has told nothing about its line for so long that it must be gone.
    fn is_silent(&self, row: &TicketRow) -> bool {
        let taken_at = row.expires_at - TimeDelta::seconds(TICKET_SECONDS);
        let heard_of = row.seen_at.map_or(taken_at, |seen| seen.max(taken_at));
        self.database_now() - heard_of > TimeDelta::seconds(TICKET_SILENT_SECONDS)
    }
}

/// The number in line. Whoever is about to be called is number 1.
fn number_of(row: &TicketRow) -> u32 {
    let number = row.place - row.front.unwrap_or(0);
    u32::try_from(number.max(1)).unwrap_or(u32::MAX)
}
