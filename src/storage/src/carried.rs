//! Requests of applications that no address has room for, while somebody signs in.

use vestibule_core::{ports::Moment, secret::TokenHash};

use crate::{
    Reader, StoreError, Writer,
    link::{execute, optional},
};

const INSERT: &str =
    "INSERT INTO carried_request (token_hash, source, sealed, created_at) VALUES ($1, $2, $3, $4)";
pub(crate) const BY_TOKEN: &str = "SELECT sealed FROM carried_request WHERE token_hash = $1";
pub(crate) const MAKE_ROOM_OF_SOURCE: &str = "DELETE FROM carried_request WHERE token_hash IN ( \
    SELECT token_hash FROM carried_request WHERE source = $1 ORDER BY created_at DESC LIMIT $2 OFFSET $3)";
pub(crate) const MAKE_ROOM: &str = "DELETE FROM carried_request WHERE token_hash IN ( \
    SELECT token_hash FROM carried_request ORDER BY created_at DESC LIMIT $1 OFFSET $2)";

/// Requests of one place that make room at once: each that comes needs the place of one.
const AT_ONCE: i64 = 10;

/// A request to keep.
#[derive(Clone, Debug)]
pub struct NewCarried<'a> {
    /// By what it is found.
    pub token_hash: TokenHash,
    /// The place that it comes from.
    pub source: &'a str,
    /// The request, sealed.
    pub sealed: &'a [u8],
    /// When it comes.
    pub created_at: Moment,
}

impl Reader {
    /// A request that is kept, sealed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carried_request(&mut self, token: TokenHash) -> Result<Option<Vec<u8>>, StoreError> {
        let row = optional!(self, (Vec<u8>,), BY_TOKEN, &token.0[..])?;
        Ok(row.map(|(sealed,)| sealed))
    }
}

impl Writer {
    /// Keeps a request. At most so many stay of one place: its oldest make room.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_carried_request(
        &mut self,
        new: &NewCarried<'_>,
        of_source: i64,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            &new.token_hash.0[..],
            new.source,
            new.sealed,
            new.created_at
        )?;
        execute!(self, MAKE_ROOM_OF_SOURCE, new.source, AT_ONCE, of_source).map(drop)
    }

    /// Deletes up to `most` of the requests beyond the newest `in_all` of all places; gives how many. It reads past those that
    /// stay: not for every request that comes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_carried_requests(&mut self, in_all: i64, most: i64) -> Result<u64, StoreError> {
        execute!(self, MAKE_ROOM, most, in_all)
    }
}
