//! Ranges of addresses that companies call their offices (N8).

use sqlx::FromRow;
use vestibule_core::id::CompanyId;

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute},
};

pub(crate) const OF_COMPANY: &str =
    "SELECT network, name FROM company_office WHERE company_id = $1 ORDER BY name, network";
const INSERT: &str = "INSERT INTO company_office (company_id, network, name) VALUES ($1, $2, $3) \
    ON CONFLICT (company_id, network) DO UPDATE SET name = excluded.name";

/// A range of addresses with its name.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Office {
    /// The range in CIDR notation, such as `192.0.2.0/28`.
    pub network: String,
    /// What the company calls it.
    pub name: String,
}

impl Reader {
    /// The offices of a company, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn offices_of(&mut self, company: CompanyId) -> Result<Vec<Office>, StoreError> {
        all!(self, Office, OF_COMPANY, company.0)
    }
}

impl Writer {
    /// Puts these offices in the place of those that the company had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_offices(
        &mut self,
        company: CompanyId,
        offices: &[Office],
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "DELETE FROM company_office WHERE company_id = $1",
            company.0
        )?;
        for Office { network, name } in offices {
            execute!(self, INSERT, company.0, network, name)?;
        }
        Ok(())
    }
}
