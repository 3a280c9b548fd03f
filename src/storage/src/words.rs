//! The words under which an account is found, and the key its alias is sorted by.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId},
    search::{order_key, search_words, searched_words},
};

use crate::{
    Reader, Store, StoreError, Writer,
    built::{Built, built_execute},
    folding::Folding,
    link::{all, execute, optional},
};

/// Longest word, and longest key of an alias, in characters: PostgreSQL's indexes hold 2 700 bytes, and some characters
/// become eighteen when they are folded.
const LONGEST: usize = 200;
/// Accounts that are given their words in one transaction.
const STEP: i64 = 200;

const OF_ACCOUNT: &str = "SELECT id, name, email, phone, first_name, last_name, alias FROM account \
    WHERE company_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM account_word WHERE company_id = $1 AND account_id = $2";
const SET_ALIAS_KEY: &str = "UPDATE account SET alias_key = $3 WHERE company_id = $1 AND id = $2";
pub(crate) const AFTER: &str =
    "SELECT id FROM account WHERE company_id = $1 AND id > $2 ORDER BY id LIMIT $3";
/// Its row is locked by being written: whoever saves it meanwhile waits, and no old name is made into words.
const HOLD: &str = "UPDATE account SET alias_key = alias_key WHERE company_id = $1 AND id = $2 \
    RETURNING id, name, email, phone, first_name, last_name, alias";

/// Goes up with every change of `vestibule_core::search::search_words` or of the keys that aliases are sorted by.
const WORDS: Folding = Folding {
    part: "words",
    version: 2,
};

#[derive(FromRow)]
struct Names {
    id: Uuid,
    name: String,
    email: String,
    phone: String,
    first_name: String,
    last_name: String,
    alias: String,
}

fn cut(word: &str) -> String {
    word.chars().take(LONGEST).collect()
}

/// What an alias is sorted by.
pub(crate) fn alias_key(alias: &str) -> String {
    cut(&order_key(alias))
}

/// The words that a search looks for, as [`Writer::put_words`] stores words.
pub(crate) fn wanted(search: &str) -> BTreeSet<String> {
    searched_words(search).iter().map(|word| cut(word)).collect()
}

/// The smallest text that is greater than every text with this beginning, in the order of the characters' numbers,
/// which is that of both databases; `None` when there is none.
pub(crate) fn end_of(beginning: &str) -> Option<String> {
    let mut end: Vec<char> = beginning.chars().collect();
    while let Some(last) = end.pop() {
        // A range of characters leaves out the numbers that are none.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

impl Writer {
    /// Writes the words of an account anew. Its row must have been changed in this transaction before: then nobody
    /// else does the same meanwhile.
    pub(crate) async fn put_words_of(&mut self, company: CompanyId, id: AccountId) -> Result<(), StoreError> {
        for names in all!(self, Names, OF_ACCOUNT, company.0, id.0)? {
            self.put_words(company, &names).await?;
        }
        Ok(())
    }

    async fn put_words(&mut self, company: CompanyId, of: &Names) -> Result<(), StoreError> {
        execute!(self, DELETE, company.0, of.id)?;
        let names = [&of.alias, &of.first_name, &of.last_name].map(String::as_str);
        let found = search_words(&of.name, &of.email, &of.phone, names);
        let words: BTreeSet<String> = found.iter().map(|word| cut(word)).collect();
        let mut insert = Built::new("INSERT INTO account_word (company_id, account_id, word) VALUES ");
        let mut between = "(";
        for word in &words {
            insert.add(between).bind(company).add(", ").bind(of.id);
            insert.add(", ").bind(word.as_str()).add(")");
            between = ", (";
        }
        if words.is_empty() {
            return Ok(());
        }
        built_execute!(self, insert).map(drop)
    }

    /// Gives words and alias keys to some accounts; gives the last of them.
    async fn fold_words(&mut self, company: CompanyId, after: Uuid) -> Result<Option<Uuid>, StoreError> {
        let ids = all!(self, (Uuid,), AFTER, company.0, after, STEP)?;
        for (id,) in &ids {
            // None when it was deleted meanwhile.
            if let Some(names) = optional!(self, Names, HOLD, company.0, *id)? {
                execute!(self, SET_ALIAS_KEY, company.0, names.id, alias_key(&names.alias))?;
                self.put_words(company, &names).await?;
            }
        }
        Ok(ids.last().map(|(id,)| *id))
    }
}

impl Reader {
    async fn company_ids(&mut self) -> Result<Vec<Uuid>, StoreError> {
        let rows = all!(self, (Uuid,), "SELECT id FROM company ORDER BY id")?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Store {
    /// Makes words and alias keys anew where older rules made them, in small steps, so that nobody waits long.
    pub(crate) async fn fold_words(&self) -> Result<(), StoreError> {
        if self.is_folded(WORDS).await? {
            return Ok(());
        }
        let companies = self.read().await?.company_ids().await?;
        for company in companies {
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let mut writer = self.write().await?;
                after = writer.fold_words(CompanyId(company), last).await?;
                writer.commit().await?;
            }
        }
        self.mark_folded(WORDS).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_ends_before_the_next_text() {
        assert_eq!(end_of("ab").as_deref(), Some("ac"));
        assert_eq!(end_of("a%_").as_deref(), Some("a%`"));
        assert_eq!(end_of("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{10ffff}\u{10ffff}"), None);
        assert_eq!(end_of(""), None);
    }

    #[test]
    fn words_fit_into_an_index_however_they_are_folded() {
        let long = "\u{fdfa}".repeat(100);
        assert_eq!(alias_key(&long).chars().count(), LONGEST);
        assert!(wanted(&long).iter().all(|word| word.chars().count() <= LONGEST));
    }
}
