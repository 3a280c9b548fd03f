//! Browsers that are trusted for an account (product.md section 4.7).
//!
//! A browser's cookie holds one token for each account that trusts it. Every use changes the token, so that a stolen copy
//! and the original cannot both go on unnoticed. The new one follows from the old one by a key that only the server has:
//! the old one is good for a moment more, because of a double click, a second tab or a lost answer. The same browser, by its
//! number, gets the same new one then; any other gets none, so that a copy cannot follow its original from token to token.

use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    id::TrustedBrowserId,
    limits::{TRUST_GRACE_SECONDS, TRUSTED_ACCOUNTS_MAX, TRUSTED_BROWSERS_MAX},
    ports::Moment,
    secret::{Token, TokenHash},
    sign_in::{is_repeat, trust_holds},
};
use vestibule_storage::{NewTrusted, Reader, StoreError, TrustedRow, Writer};

use crate::{Service, Visitor, keys::Purpose};

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
        let rows = reader
            .trusted_of_browser(company.id, account.id, &hashes(&visitor.trusted))
            .await?;
        Ok(rows.into_iter().find_map(|row| {
            let holds = row.credential_version == account.credential_version
                && trust_holds(now, row.created_at, row.ends_at, company.settings.two_factor);
            let mut tokens = visitor.trusted.iter().filter(|_| holds);
            let token = tokens.find(|token| self.is_fresh(token, &row, now))?;
            Some((token.clone(), row))
        }))
    }

    /// Whether a token is the one that this trust has now, or the one before for as long as an answer may have been lost.
    fn is_fresh(&self, token: &Token, row: &TrustedRow, now: Moment) -> bool {
        let hash = token.hash();
        let just_before =
            row.previous_hash == Some(hash) && is_repeat(now, row.last_used_at, TRUST_GRACE_SECONDS);
        hash == row.token_hash || (just_before && self.successor(token).hash() == row.token_hash)
    }

    /// What a browser that came with a token that is good has in its place.
    fn present_token(&self, token: &Token, row: &TrustedRow, browser: Option<TokenHash>) -> Token {
        if token.hash() != row.token_hash && row.browser_hash.is_some() && row.browser_hash == browser {
            self.successor(token)
        } else {
            token.clone()
        }
    }

    /// The token after this one. Only the server can compute it.
    fn successor(&self, token: &Token) -> Token {
        Token::from_bytes(self.inner.keys.derive(Purpose::Trust, &[token.bytes()]))
    }

    /// Gives the browser, by its number, a new token for the account, or once more the one that it was given a moment ago.
    pub(super) async fn rotate_trust(
        &self,
        writer: &mut Writer,
        account: &Account,
        (token, row): (&Token, &TrustedRow),
        (visitor, number): (&Visitor, Option<&Token>),
        now: Moment,
    ) -> Result<Vec<Token>, StoreError> {
        let number = number.map(Token::hash);
        let new = if token.hash() == row.token_hash {
            let new = self.successor(token);
            let hashes = (token.hash(), new.hash());
            let stored = writer
                .rotate_trusted(account.company, row.id, hashes, number, now)
                .await?;
            if stored { new } else { token.clone() }
        } else {
            self.present_token(token, row, number)
        };
        self.cookie_with(writer, new, visitor, now).await
    }

    /// Trusts the browser anew; trust that the account had in it before ends. The token follows from the one of the
    /// pending sign-in, so that the two answers to a double click carry the same.
    pub(super) async fn trust(
        &self,
        writer: &mut Writer,
        account: &Account,
        (pending, ends_at): (&Token, Moment),
        (visitor, number): (&Visitor, Option<&Token>),
    ) -> Result<Vec<Token>, StoreError> {
        let now = self.now();
        let before = writer
            .trusted_of_browser(account.company, account.id, &hashes(&visitor.trusted))
            .await?;
        for row in before {
            writer.end_trusted(account.company, account.id, row.id).await?;
        }
        let token = self.successor(pending);
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
                browser_hash: number.map(Token::hash),
            })
            .await?;
        writer
            .trim_trusted(account.company, account.id, TRUSTED_BROWSERS_MAX, now)
            .await?;
        let entry = AuditEntry {
            actor: Actor::Account(account.id),
            ..visitor.entry(Event::BrowserTrusted, Some(account.company), Some(account.id))
        };
        self.record(writer, &entry).await?;
        self.cookie_with(writer, token, visitor, now).await
    }

    /// The trust that the sign-in of this pending token gave the browser, for its answer once more.
    pub(super) async fn trust_given(
        &self,
        reader: &mut Reader,
        account: &Account,
        pending: &Token,
        visitor: &Visitor,
    ) -> Result<Option<Vec<Token>>, StoreError> {
        let token = self.successor(pending);
        let given = reader
            .trusted_of_browser(account.company, account.id, &[token.hash()])
            .await?;
        if given.iter().all(|row| row.token_hash != token.hash()) {
            return Ok(None);
        }
        self.cookie_with(reader, token, visitor, self.now())
            .await
            .map(Some)
    }

    /// What the browser's cookie holds from now on: this token first, then those of the other accounts that still trust
    /// it. Dead ones go, so that none takes a living one's place; one that another tab of this browser has just changed is
    /// changed here too, because the later answer's cookie is the one that stays.
    async fn cookie_with(
        &self,
        reader: &mut Reader,
        first: Token,
        visitor: &Visitor,
        now: Moment,
    ) -> Result<Vec<Token>, StoreError> {
        let mut living = reader.trusted_of_tokens(&hashes(&visitor.trusted)).await?;
        living.retain(|(row, policy)| {
            row.token_hash != first.hash() && trust_holds(now, row.created_at, row.ends_at, *policy)
        });
        let number = visitor.browser_hash();
        let others = visitor.trusted.iter().filter_map(|token| {
            let mut rows = living.iter();
            let (row, _) = rows.find(|(row, _)| self.is_fresh(token, row, now))?;
            Some(self.present_token(token, row, number))
        });
        let mut cookie = vec![first];
        for token in others {
            let known = cookie.iter().any(|one| one.hash() == token.hash());
            if !known && cookie.len() < TRUSTED_ACCOUNTS_MAX {
                cookie.push(token);
            }
        }
        Ok(cookie)
    }
}

fn hashes(tokens: &[Token]) -> Vec<TokenHash> {
    tokens.iter().map(Token::hash).collect()
}
