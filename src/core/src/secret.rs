//! Tokens, their hashes, and six-digit codes. None of them shows itself in `Debug`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{limits::CODE_DIGITS, ports::Randomness, typed_code};

/// A typed password on its way to the hash. It is wiped when dropped and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was typed, exactly (N3: no trimming, no change of case).
    pub fn new(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }

    /// What was typed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A 256-bit secret that lives in a cookie or a link (N18, N19, N22); the database has only its hash.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// Makes a new one.
    pub fn new(randomness: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        randomness.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Wraps 32 bytes that are already secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads what [`Token::reveal`] wrote; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut()).ok()?;
        (length == 32).then_some(Self(bytes))
    }

    /// The text for the cookie or the link: 43 characters of base64url.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_ref())
    }

    /// The secret bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the database keeps: SHA-256, enough for 256 random bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_ref()).into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The hash of a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// A six-digit code before it is mailed.
#[derive(Clone)]
pub struct SixDigits(Zeroizing<String>);

impl SixDigits {
    /// Draws one, every value from 000000 to 999999 equally likely (N10).
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let number = Adapter(randomness).random_range(0..1_000_000_u32);
        Self(Zeroizing::new(format!("{number:06}")))
    }

    /// Wraps six ASCII digits that our own side computed.
    pub(crate) fn from_digits(digits: String) -> Self {
        Self(Zeroizing::new(digits))
    }

    /// Reads what a person typed or pasted: six digits must remain ([`typed_code`] says of what).
    pub fn parse(typed: &str) -> Option<Self> {
        let digits = Zeroizing::new(typed_code::read(typed));
        (digits.len() == CODE_DIGITS && typed_code::is_digits(&digits)).then_some(Self(digits))
    }

    /// The digits.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SixDigits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SixDigits(…)")
    }
}

/// Compares two hashes in constant time.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}

/// Lets `rand` draw from a [`Randomness`].
struct Adapter<'a>(&'a dyn Randomness);

impl rand::RngCore for Adapter<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SeededRandomness;

    #[test]
    fn a_token_survives_its_cookie_and_nothing_else_does() {
        let token = Token::new(&SeededRandomness::new(1));
        let text = token.reveal();
        assert_eq!(text.len(), 43);
        assert_eq!(Token::parse(&text).unwrap().hash(), token.hash());
        for bad in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &text.replace(&text[0..1], "!"),
            "../x",
        ] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn codes_are_six_digits_with_every_first_digit() {
        let randomness = SeededRandomness::new(2);
        let mut first = [0_u32; 10];
        for _ in 0..10_000 {
            let code = SixDigits::draw(&randomness);
            assert_eq!(code.reveal().len(), 6);
            first[usize::from(code.reveal().as_bytes()[0] - b'0')] += 1;
        }
        assert!(
            first.iter().all(|&count| (850..1150).contains(&count)),
            "{first:?}"
        );
    }

    #[test]
    fn a_pasted_code_is_read_and_nonsense_is_not() {
        for good in [
            "123456",
            " 123 456\n",
            "123-456",
            "\u{a0}123456",
            "١٢٣٤٥٦",
            "１２３４５６",
        ] {
            assert_eq!(SixDigits::parse(good).unwrap().reveal(), "123456");
        }
        for bad in ["", "12345", "1234567", "一二三四五六", "12345a", "\u{0}123456"] {
            assert!(SixDigits::parse(bad).is_none(), "{bad:?}");
        }
    }
}
