//! Wrong passwords of somebody who is signed in: a session in which they pile up is ended.

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    limits::SESSION_WRONG_PASSWORDS_MAX,
    mail::Mail,
    session::EndReason,
};

use crate::{Failure, Service, Visitor, letters::Receiver, sessions::SignedIn};

impl Service {
    /// Counts a wrong password that was entered in this session; says whether it was the one that ended it. Then the
    /// agent hears of it by mail. A proof of identity starts the count anew.
    pub(super) async fn count_in_session(
        &self,
        signed_in: &SignedIn,
        visitor: &Visitor,
    ) -> Result<bool, Failure> {
        let SignedIn {
            session,
            company,
            account,
            ..
        } = signed_in;
        let entry = |event| AuditEntry {
            actor: Actor::Account(account.id),
            ..visitor.entry(event, Some(company.id), Some(account.id))
        };
        let mut writer = self.inner.store.write().await?;
        writer.hold_account(company.id, account.id).await?;
        let counted = writer.count_wrong_password(company.id, *session).await?;
        self.record(&mut writer, &entry(Event::StepUpRefused)).await?;
        // Of several at once, one counts to the end: the row is its own until the transaction is over.
        let ended = counted.is_none_or(|count| count >= SESSION_WRONG_PASSWORDS_MAX);
        let ending = self.ending(EndReason::WrongPasswords);
        if ended && writer.end_session(company.id, *session, ending).await? {
            let receiver = Receiver::new(company, account);
            let about = receiver.about(visitor);
            self.tell(&mut writer, receiver, Mail::SessionCut { about })
                .await?;
            self.record(&mut writer, &entry(Event::SessionCut)).await?;
        }
        writer.commit().await?;
        Ok(ended)
    }
}
