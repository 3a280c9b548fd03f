//! From where the people of a company sign in together: its offices (product.md section 4.10).

use vestibule_core::{
    refusal::{Field, Problem, Refusal},
    rights::Action,
};
use vestibule_storage::Office;

use super::Hold;
use crate::{Console, Visitor, offices::read};

impl Console {
    /// The company's offices, by name.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn offices(&self, visitor: &Visitor) -> Result<Vec<Office>, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::SeeSettings, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                Ok(reader.offices_of(own.company.id).await?)
            })
            .await
    }

    /// Names one more office, and tells all admins.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`, also for a range that is an office already and for more offices than a
    /// company may have.
    pub async fn add_office(&self, name: &str, range: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                self.allowed(Action::ChangePolicies, visitor).await?;
                let office = read(name, range)?;
                let (mut work, own) = self.act(Action::ChangePolicies, Hold::Company, visitor).await?;
                let mut offices = work.offices_of(own.company.id).await?;
                if offices.iter().any(|known| known.network == office.network) {
                    return Err(Refusal::field(Field::OfficeRange, Problem::Taken).into());
                }
                offices.push(office);
                let by = &own.account.person.alias;
                self.put_offices(&mut work, &own.company, &offices, by).await?;
                Ok(work.commit().await?)
            })
            .await
    }

    /// Takes the office with this range away, and tells all admins. A range that is none of the company's changes nothing.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn remove_office(&self, network: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own) = self.act(Action::ChangePolicies, Hold::Company, visitor).await?;
                let mut offices = work.offices_of(own.company.id).await?;
                offices.retain(|office| office.network != network);
                let by = &own.account.person.alias;
                self.put_offices(&mut work, &own.company, &offices, by).await?;
                Ok(work.commit().await?)
            })
            .await
    }
}
