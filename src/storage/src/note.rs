//! What is kept for a moment for one session, sealed: of each kind the newest. It goes with its session.

use vestibule_core::{
    id::{CompanyId, SessionId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    link::{execute, optional},
};

const PUT: &str = "INSERT INTO session_note (company_id, session_id, kind, sealed, expires_at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (company_id, session_id, kind) \
    DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at";
pub(crate) const OF_SESSION: &str = "SELECT sealed FROM session_note \
    WHERE company_id = $1 AND session_id = $2 AND kind = $3 AND expires_at > $4";
pub(crate) const DROP: &str =
    "DELETE FROM session_note WHERE company_id = $1 AND session_id = $2 AND kind = $3";

impl Reader {
    /// What is kept for this session, unless it is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_note(
        &mut self,
        company: CompanyId,
        session: SessionId,
        kind: &str,
        now: Moment,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = optional!(self, (Vec<u8>,), OF_SESSION, company.0, session.0, kind, now)?;
        Ok(row.map(|(sealed,)| sealed))
    }
}

impl Writer {
    /// Keeps something for a session of the company, in place of what was kept of this kind.
    ///
    /// # Errors
    /// [`StoreError`]; also when the session has ended.
    pub async fn put_session_note(
        &mut self,
        company: CompanyId,
        session: SessionId,
        kind: &str,
        sealed: &[u8],
        expires_at: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, PUT, company.0, session.0, kind, sealed, expires_at).map(drop)
    }

    /// Forgets it; says whether there was anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_session_note(
        &mut self,
        company: CompanyId,
        session: SessionId,
        kind: &str,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DROP, company.0, session.0, kind)? == 1)
    }
}
