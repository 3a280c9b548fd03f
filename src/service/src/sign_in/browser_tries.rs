//! What a browser is told about its own wrong passwords: after several for the same names it reads how long it has to wait.
//! It is counted in a sealed cookie by what was typed alone, so that it says nothing about whether there is such an account,
//! nor about what others have tried.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use vestibule_core::{name, throttle::ToldTries};

use crate::{SignIn, Visitor, keys::Purpose};

/// What the cookie is bound to, besides its purpose.
const OF_COOKIE: &[u8] = b"cookie";

/// What the cookie holds.
#[derive(Serialize, Deserialize)]
struct Counted {
    /// A fingerprint of the names that were typed.
    names: [u8; 32],
    tries: ToldTries,
}

/// What the browser is told, and keeps.
pub struct Told {
    /// Seconds until a right password would be taken; `None` = at once.
    pub retry_after: Option<u32>,
    /// The count, for the browser's next try.
    pub sealed: Option<String>,
}

impl SignIn {
    /// Counts a wrong password that this browser sent for these names.
    pub fn wrong_in_browser(&self, company: &str, account: &str, visitor: &Visitor) -> Told {
        let (company, account) = (name::key(company), name::key(account));
        let names = self
            .inner
            .keys
            .derive(Purpose::Tries, &[company.as_bytes(), account.as_bytes()]);
        let now = self.now();
        let before = visitor.tries.as_deref().and_then(|sealed| self.counted(sealed));
        let before = before.filter(|counted| counted.names == names);
        let tries = before
            .map_or_else(ToldTries::default, |counted| counted.tries)
            .wrong(now);
        let counted = Counted { names, tries };
        let sealed = serde_json::to_vec(&counted).ok().and_then(|plain| {
            let sealed = self
                .inner
                .keys
                .seal(Purpose::Tries, OF_COOKIE, &plain, self.random());
            sealed.ok()
        });
        Told {
            retry_after: counted.tries.wait(now),
            sealed: sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)),
        }
    }

    fn counted(&self, sealed: &str) -> Option<Counted> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = self.inner.keys.open(Purpose::Tries, OF_COOKIE, &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}
