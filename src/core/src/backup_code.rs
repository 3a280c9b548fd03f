//! Backup codes (N16, N17): 80 bits in Crockford's base32, typed in any spelling.

use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::{limits::BACKUP_CODE_CHARS, ports::Randomness, typed_code};

/// Random bytes of a code.
const BYTES: usize = 10;
/// Characters between two dashes.
const GROUP: usize = 4;

/// A backup code. It never shows itself in `Debug`.
#[derive(Clone)]
pub struct BackupCode(Zeroizing<[u8; BYTES]>);

impl BackupCode {
    /// Draws a new one.
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        randomness.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Reads what a person typed: with or without dashes and spaces, upper or lower case, in full width
    /// ([`typed_code`]), and with the letters that are taken for digits (O for 0, I and L for 1). Anything else is
    /// `None`.
    pub fn parse(typed: &str) -> Option<Self> {
        let compact = Zeroizing::new(typed_code::read(typed));
        if compact.len() != BACKUP_CODE_CHARS {
            return None;
        }
        let decoded = Zeroizing::new(crockford()?.decode(compact.as_bytes()).ok()?);
        let bytes: [u8; BYTES] = decoded.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// As shown to its owner: four groups of four characters, such as `7KQ2-M0ZD-4T8V-XH1R`.
    pub fn reveal(&self) -> String {
        let plain = crockford().map_or_else(String::new, |encoding| encoding.encode(self.0.as_ref()));
        let mut shown = String::with_capacity(plain.len() + plain.len() / GROUP);
        for (index, c) in plain.chars().enumerate() {
            if index > 0 && index % GROUP == 0 {
                shown.push('-');
            }
            shown.push(c);
        }
        shown
    }

    /// The secret bytes, for hashing.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl std::fmt::Debug for BackupCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BackupCode(…)")
    }
}

/// Crockford's base32: no I, L, O and U; small letters and look-alikes are read as what they were meant to be.
fn crockford() -> Option<Encoding> {
    static ENCODING: std::sync::LazyLock<Option<Encoding>> = std::sync::LazyLock::new(|| {
        let mut specification = Specification::new();
        specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
        specification
            .translate
            .from
            .push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
        specification
            .translate
            .to
            .push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
        specification.encoding().ok()
    });
    ENCODING.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{form::code_problem, ports::SeededRandomness};

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = BackupCode::draw(&SeededRandomness::new(3));
        let shown = code.reveal();
        assert_eq!(shown.len(), 19);
        let plain = shown.replace('-', "");
        let wide = |text: &str| -> String {
            let widened = text
                .chars()
                .map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap());
            widened.collect()
        };
        for typed in [
            shown.clone(),
            plain.clone(),
            shown.to_lowercase(),
            shown.replace('-', " "),
            format!("  {plain}\n"),
            plain.replace('0', "o").replace('1', "l"),
            plain.replace('0', "O").replace('1', "I"),
            wide(&shown),
            wide(&shown.to_lowercase()),
            shown.replace('-', "ー"),
            format!("{}.", shown.replace('-', "\u{2013}")),
        ] {
            assert_eq!(
                BackupCode::parse(&typed).unwrap().bytes(),
                code.bytes(),
                "{typed}"
            );
            assert_eq!(code_problem(&typed), None, "{typed}");
        }
        for bad in [
            "",
            "123456",
            &plain[1..],
            &format!("{plain}0"),
            &plain.replacen(&plain[..1], "U", 1),
            "ÄÄÄÄÄÄÄÄ",
            &"\u{0}".repeat(16),
        ] {
            assert!(BackupCode::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{code:?}"), "BackupCode(…)");
    }

    #[test]
    fn known_bytes_have_known_characters() {
        let code = BackupCode(Zeroizing::new([
            0xff, 0, 0xff, 0, 0xff, 0, 0x12, 0x34, 0x56, 0x78,
        ]));
        assert_eq!(code.reveal(), "ZW0F-Y07Z-0093-8NKR".to_owned());
    }
}
