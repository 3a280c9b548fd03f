//! What agents say about themselves (product.md section 3, Profile).

use vestibule_core::{
    account::Person,
    id::{AccountId, CompanyId},
    ports::Moment,
};

use crate::{StoreError, Writer, link::execute, words::alias_key};

const SET: &str = "UPDATE account SET first_name = $3, last_name = $4, alias = $5, phone = $6, title = $7, \
    hour_clock = $8, language = $9, changed_at = $10, alias_key = $11, version = version + 1 WHERE company_id = $1 AND id = $2";

impl Writer {
    /// Sets the basic information of an account and makes its version one higher; its words for the search follow. Says
    /// whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_profile(
        &mut self,
        company: CompanyId,
        id: AccountId,
        new: &Person,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let set = execute!(
            self,
            SET,
            company.0,
            id.0,
            &new.first_name,
            &new.last_name,
            &new.alias,
            &new.phone,
            &new.title,
            new.time_format.hours(),
            &new.language,
            now,
            alias_key(&new.alias),
        )? == 1;
        if set {
            self.put_words_of(company, id).await?;
        }
        Ok(set)
    }
}
