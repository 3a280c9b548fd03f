//! What is said about a new password while it is typed.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::Refused;

/// What is said about a new password while it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// In the language of the page.
    pub sentence: String,
    /// Whether it would be taken.
    pub good: bool,
    /// 0 (weak) to 3 (strong).
    pub strength: u8,
}

/// Says how good a new password is. Changes nothing.
#[server(name = JudgePassword, prefix = "", endpoint = "profile/password/check")]
pub async fn judge_password(
    /// What is typed so far.
    new_password: String,
) -> Result<Judged, Refused> {
    use crate::call::Call;
    use vestibule_core::secret::Password;

    let call = Call::current()?;
    let password = Password::new(new_password);
    let judgement = call
        .service
        .profile()
        .judge_password(&password, &call.visitor)
        .await?;
    Ok(judged(call.locale().await?, judgement))
}

/// What is said about a password.
#[cfg(feature = "ssr")]
fn judged(now: vestibule_translations::Locale, judgement: vestibule_service::profile::Judgement) -> Judged {
    use vestibule_core::{password::Strength, refusal::Field};
    use vestibule_translations::{refusal, td_string};

    let sentence = match (judgement.problem, judgement.strength) {
        (Some(problem), _) => refusal::field_sentence(now, Field::NewPassword, problem),
        (None, Strength::Strong) => td_string!(now, profile.password_strong).to_owned(),
        (None, _) => td_string!(now, profile.password_good).to_owned(),
    };
    Judged {
        sentence,
        good: judgement.problem.is_none(),
        strength: judgement.strength as u8,
    }
}

/// Says how good the password is that is being chosen. Changes nothing.
#[server(name = JudgeChosenPassword, prefix = "", endpoint = "choose-password/check")]
pub async fn judge_chosen_password(
    /// What is typed so far.
    new_password: String,
) -> Result<Judged, Refused> {
    use crate::call::Call;
    use vestibule_core::secret::Password;

    let call = Call::current()?;
    let password = Password::new(new_password);
    let judgement = call
        .service
        .recovery()
        .judge_chosen_password(&password, &call.visitor)
        .await?;
    Ok(judged(call.locale().await?, judgement))
}
