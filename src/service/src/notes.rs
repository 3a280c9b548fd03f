//! What a page shows for a moment to the session that brought it about, and to no other: sealed, and gone with the session.

use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};
use vestibule_core::{limits::KEPT_SECONDS, words};
use vestibule_storage::{Reader, StoreError, Writer};
use zeroize::Zeroizing;

use crate::{
    Failure, Service, Visitor,
    keys::{Purpose, Unsealable},
    sessions::SignedIn,
};

words! {
    /// What is kept.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum NoteKind {
        /// Ten backup codes that were made.
        NewCodes = "new_codes",
        /// A backup code that was issued, and for whom.
        IssuedCode = "issued_code",
        /// Who was switched off just now.
        Deactivated = "deactivated",
        /// Which of several agents were not changed just now, and why.
        NotChanged = "not_changed",
        /// The mail server that was tried as it was typed.
        TriedMailServer = "tried_mail_server",
        /// The application at Google that was tried as it was typed.
        TriedGoogle = "tried_google",
        /// The one at Office 365.
        TriedOffice365 = "tried_office365",
        /// Which import was started, and when.
        ImportBegun = "import_begun",
    }
}

impl NoteKind {
    /// What the note is sealed for.
    fn context(self, own: &SignedIn) -> Vec<u8> {
        [own.session.0.as_bytes(), self.as_str().as_bytes()].concat()
    }

    /// Forgets what is kept of this kind for the session. Nothing to forget is fine.
    pub(crate) async fn forget(self, writer: &mut Writer, own: &SignedIn) -> Result<(), StoreError> {
        writer
            .drop_session_note(own.company.id, own.session, self.as_str())
            .await
            .map(drop)
    }
}

impl Service {
    /// Keeps something for the session, in place of what was kept of this kind, for so many seconds.
    pub(crate) async fn keep_note(
        &self,
        writer: &mut Writer,
        own: &SignedIn,
        kind: NoteKind,
        note: &impl Serialize,
        seconds: i64,
    ) -> Result<(), Failure> {
        let plain = serde_json::to_vec(note).map_err(|_| Unsealable)?;
        let plain = Zeroizing::new(plain);
        let sealed = self
            .inner
            .keys
            .seal(Purpose::Note, &kind.context(own), &plain, self.random())?;
        let until = self.now() + TimeDelta::seconds(seconds);
        writer
            .put_session_note(own.company.id, own.session, kind.as_str(), &sealed, until)
            .await?;
        Ok(())
    }

    /// Keeps what was tried before it is saved, with the secret that was typed, for as long as a form is kept; `None` forgets
    /// what was tried before. When that fails, because the session has ended meanwhile, the secret is typed once more.
    pub(crate) async fn keep_tried<T: Serialize>(
        &self,
        own: &SignedIn,
        kind: NoteKind,
        tried: Option<&T>,
        visitor: &Visitor,
    ) {
        let kept = async {
            let mut writer = self.inner.store.write().await?;
            match tried {
                Some(tried) => {
                    self.keep_note(&mut writer, own, kind, tried, KEPT_SECONDS)
                        .await?;
                }
                None => {
                    writer
                        .drop_session_note(own.company.id, own.session, kind.as_str())
                        .await?;
                }
            }
            Ok::<(), Failure>(writer.commit().await?)
        };
        if let Err(failure) = kept.await {
            visitor.explain(&failure);
        }
    }

    /// What is kept for the session. A note that cannot be read any more is none.
    pub(crate) async fn kept_note<T: DeserializeOwned>(
        &self,
        reader: &mut Reader,
        own: &SignedIn,
        kind: NoteKind,
    ) -> Result<Option<T>, Failure> {
        let sealed = reader
            .session_note(own.company.id, own.session, kind.as_str(), self.now())
            .await?;
        let plain = sealed.and_then(|sealed| {
            self.inner
                .keys
                .open(Purpose::Note, &kind.context(own), &sealed)
                .ok()
        });
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }
}
