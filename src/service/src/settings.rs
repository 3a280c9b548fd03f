//! What a company's admins or an operator set about it (product.md section 6). Every change bites at the next request of
//! everybody concerned, on every node: sessions are read together with their company.

use vestibule_core::{
    audit::{AuditEntry, Event},
    company::{Company, CompanySettings},
    mail::Mail,
    refusal::Refusal,
};
use vestibule_storage::StoreError;

use crate::{Failure, Service, letters::Receiver, work::Work};

impl Service {
    /// Saves other settings in place of those of `company`, which the transaction holds. What changed stands in the audit
    /// log, and all admins hear of policies: `by` is whose name they read.
    ///
    /// # Errors
    /// [`Refusal::ChangedMeanwhile`] when the company's version is another by now.
    pub(crate) async fn put_settings(
        &self,
        work: &mut Work<'_>,
        company: &Company,
        settings: &CompanySettings,
        by: &str,
    ) -> Result<(), Failure> {
        let policies = company.settings.policies_changed(settings);
        let changes = [
            (
                Event::CompanyChanged,
                company.settings.information_changed(settings),
            ),
            (Event::PolicyChanged, policies.clone()),
        ];
        if changes.iter().all(|(_, detail)| detail.is_empty()) {
            return Ok(());
        }
        if !work
            .set_company(company.id, company.version, settings, self.now())
            .await?
        {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        for (event, detail) in changes {
            if !detail.is_empty() {
                let entry = AuditEntry {
                    detail: Some(detail),
                    ..work.entry(event, company.id, None)
                };
                self.record(work, &entry).await?;
            }
        }
        if !policies.is_empty() {
            self.tell_admins(work, company, by).await?;
        }
        Ok(())
    }

    /// Tells all admins that the company's policies were changed.
    pub(crate) async fn tell_admins(
        &self,
        work: &mut Work<'_>,
        company: &Company,
        by: &str,
    ) -> Result<(), StoreError> {
        let place = work.place();
        for admin in work.active_admins(company.id).await? {
            let receiver = Receiver::new(company, &admin);
            let mail = Mail::PoliciesChanged {
                about: receiver.about(&place),
                by: by.to_owned(),
            };
            self.tell(work, receiver, mail).await?;
        }
        Ok(())
    }
}
