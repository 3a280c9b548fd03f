//! Codes of an authenticator app (N15): RFC 6238 with SHA-1, six digits and steps of 30 seconds, as every app does it.

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::{
    limits::CODE_DIGITS,
    ports::{Moment, Randomness},
    refusal::CodeHint,
    secret::{SixDigits, same},
};

/// Length of a secret, in bytes: 160 bits, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Length of a step, in seconds.
const STEP_SECONDS: u64 = 30;
/// Steps before and after the present one whose codes are accepted.
const WINDOW: i64 = 1;
/// Steps before and after the present one that are recognised as a clock that is off: ten minutes.
const HINT_WINDOW: i64 = 20;
/// Characters of a group of the typed secret.
const GROUP: usize = 4;
/// What the app shows as the issuer, before the company.
const PRODUCT: &str = "Vestibule";

/// The secret that an app and the server share. It never shows itself in `Debug`.
#[derive(Clone)]
pub struct AppSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// What an entered code is to an app's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppMatch {
    /// The code of this step, which is near enough. Whether it was used before is for the store to say.
    Step(i64),
    /// Right for a step up to ten minutes off: the clocks differ.
    Off {
        /// The step.
        step: i64,
        /// What to tell.
        hint: CodeHint,
    },
    /// Wrong.
    Nothing,
}

impl AppSecret {
    /// Draws a new one.
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        randomness.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Takes the bytes that were sealed; `None` when they are not 20.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The bytes, for sealing.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The secret to be typed into an app: base32 in groups of four.
    pub fn typed(&self) -> String {
        let plain = Zeroizing::new(Secret::new_stack(*self.0).to_base32());
        let mut shown = String::with_capacity(plain.len() + plain.len() / GROUP);
        for (index, c) in plain.chars().enumerate() {
            if index > 0 && index % GROUP == 0 {
                shown.push(' ');
            }
            shown.push(c);
        }
        shown
    }

    /// The address that the QR code holds. It names product, company and account; a colon, which would end a name
    /// there, becomes a space.
    pub fn address(&self, company: &str, account: &str) -> Option<Zeroizing<String>> {
        let plain = |text: &str| text.replace(':', " ");
        let totp = self
            .builder()
            .with_issuer(Some(plain(&format!("{PRODUCT} {company}"))))
            .with_account_name(plain(account))
            .build()
            .ok()?;
        totp.to_url().ok().map(Zeroizing::new)
    }

    /// The code of the step that `moment` lies in.
    pub fn code_at(&self, moment: Moment) -> SixDigits {
        self.code_of(step_of(moment))
    }

    /// Which step the entered code belongs to, if any. All steps are computed and compared, whatever fits first.
    pub fn find(&self, entered: &SixDigits, now: Moment) -> AppMatch {
        let present = step_of(now);
        let mut found = AppMatch::Nothing;
        // From far to near, so that of equal codes the nearest decides.
        for distance in (0..=HINT_WINDOW).rev() {
            for step in [present - distance, present + distance] {
                if !same(
                    self.code_of(step).reveal().as_bytes(),
                    entered.reveal().as_bytes(),
                ) {
                    continue;
                }
                found = if distance <= WINDOW {
                    AppMatch::Step(step)
                } else {
                    let seconds = u32::try_from(distance).unwrap_or_default() * 30;
                    let hint = if step > present {
                        CodeHint::ClockAhead(seconds)
                    } else {
                        CodeHint::ClockBehind(seconds)
                    };
                    AppMatch::Off { step, hint }
                };
            }
        }
        found
    }

    fn code_of(&self, step: i64) -> SixDigits {
        let totp: Totp = self.builder().build_noncompliant();
        let seconds = u64::try_from(step).unwrap_or_default() * STEP_SECONDS;
        SixDigits::from_digits(totp.generate(seconds).to_string())
    }

    fn builder(&self) -> Builder {
        let digits = u8::try_from(CODE_DIGITS).unwrap_or(6);
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(digits)
            .with_step_duration(STEP_SECONDS)
            .with_skew(0)
            .with_secret(Secret::new_stack(*self.0))
    }
}

impl std::fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

/// The number of the step that a moment lies in, counted from 1970.
pub fn step_of(moment: Moment) -> i64 {
    moment.timestamp().div_euclid(30)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::ports::SeededRandomness;

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn rfc() -> AppSecret {
        AppSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        // Appendix B has eight digits; six are their end.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().code_at(at(seconds)).reveal(), code, "{seconds}");
        }
    }

    #[test]
    fn one_step_before_and_after_is_near_enough_and_no_more() {
        let now = at(1_700_000_010);
        let present = step_of(now);
        let find = |steps: i64| rfc().find(&rfc().code_at(now + TimeDelta::seconds(30 * steps)), now);
        for steps in -1..=1 {
            assert_eq!(find(steps), AppMatch::Step(present + steps));
        }
        let off = |steps: i64, hint| AppMatch::Off {
            step: present + steps,
            hint,
        };
        assert_eq!(find(2), off(2, CodeHint::ClockAhead(60)));
        assert_eq!(find(-2), off(-2, CodeHint::ClockBehind(60)));
        assert_eq!(find(20), off(20, CodeHint::ClockAhead(600)));
        assert_eq!(find(-20), off(-20, CodeHint::ClockBehind(600)));
        assert_eq!(find(21), AppMatch::Nothing);
        assert_eq!(find(-21), AppMatch::Nothing);
    }

    #[test]
    fn the_address_names_product_company_and_account() {
        let address = rfc().address("Müller: & Söhne", "alice").unwrap();
        let url = url::Url::parse(&address).unwrap();
        assert_eq!((url.scheme(), url.host_str()), ("otpauth", Some("totp")));
        let query: std::collections::HashMap<_, _> = url.query_pairs().collect();
        assert_eq!(query["issuer"], "Vestibule Müller  & Söhne");
        assert_eq!(query["secret"], "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(url.path().ends_with(":alice"), "{address:?}");
    }

    #[test]
    fn a_secret_is_typed_in_groups_of_four_and_never_shows_itself() {
        assert_eq!(rfc().typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let drawn = AppSecret::draw(&SeededRandomness::new(1));
        assert_ne!(drawn.bytes(), AppSecret::draw(&SeededRandomness::new(2)).bytes());
        assert_eq!(format!("{drawn:?}"), "AppSecret(…)");
        assert!(AppSecret::from_bytes(&[0; 19]).is_none());
    }
}
