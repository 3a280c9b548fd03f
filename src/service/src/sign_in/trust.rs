//! Browsers that are trusted for an account (product.md section 4.7).

use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    id::TrustedBrowserId,
    limits::TRUSTED_BROWSERS_MAX,
    ports::Moment,
    secret::Token,
    sign_in::trust_holds,
};
use vestibule_storage::{NewTrusted, Reader, StoreError, TrustedRow, Writer};

use crate::{Service, Visitor};

/// Most accounts that one browser remembers trust for.
const TRUSTED_ACCOUNTS_PER_BROWSER: usize = 8;

impl Service {
    pub(super) async fn trusted_row(
        &self,
        reader: &mut Reader,
        company: &Company,
        account: &Account,
        visitor: &Visitor,
        now: Moment,
    ) -> Result<Option<(Token, TrustedRow)>, StoreError> {
        if visitor.trusted.is_empty() {
            return Ok(None);
        }
        let hashes: Vec<_> = visitor.trusted.iter().map(Token::hash).collect();
        let rows = reader.trusted_of_browser(company.id, account.id, &hashes).await?;
        Ok(rows.into_iter().find_map(|row| {
            let holds = row.credential_version == account.credential_version
                && trust_holds(now, row.created_at, row.ends_at, company.two_factor);
            let token = visitor
                .trusted
                .iter()
                .find(|token| token.hash() == row.token_hash)?;
            holds.then(|| (token.clone(), row))
        }))
    }

    /// Every use makes a new trust token, so that a stolen copy and the original cannot both go on unnoticed.
    pub(super) async fn rotate_trust(
        &self,
        writer: &mut Writer,
        account: &Account,
        (old, row): (&Token, &TrustedRow),
        visitor: &Visitor,
        now: Moment,
    ) -> Result<Option<Vec<Token>>, StoreError> {
        let new = Token::new(self.random());
        writer
            .rotate_trusted(account.company, row.id, old.hash(), new.hash(), now)
            .await?;
        let others = visitor
            .trusted
            .iter()
            .filter(|token| token.hash() != old.hash())
            .cloned();
        Ok(Some(
            std::iter::once(new)
                .chain(others)
                .take(TRUSTED_ACCOUNTS_PER_BROWSER)
                .collect(),
        ))
    }

    pub(super) async fn trust(
        &self,
        writer: &mut Writer,
        account: &Account,
        ends_at: Moment,
        visitor: &Visitor,
    ) -> Result<Vec<Token>, StoreError> {
        let now = self.now();
        let token = Token::new(self.random());
        writer
            .insert_trusted(&NewTrusted {
                id: TrustedBrowserId::new(now, self.random()),
                company: account.company,
                account: account.id,
                token_hash: token.hash(),
                created_at: now,
                ends_at,
                credential_version: account.credential_version,
                address: visitor.address.clone(),
                browser: visitor.browser.clone(),
            })
            .await?;
        writer
            .trim_trusted(account.company, account.id, TRUSTED_BROWSERS_MAX)
            .await?;
        let entry = AuditEntry {
            actor: Actor::Account(account.id),
            ..visitor.entry(Event::BrowserTrusted, Some(account.company), Some(account.id))
        };
        self.record(writer, &entry).await?;
        Ok(std::iter::once(token)
            .chain(visitor.trusted.iter().cloned())
            .take(TRUSTED_ACCOUNTS_PER_BROWSER)
            .collect())
    }
}
