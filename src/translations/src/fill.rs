//! Values for the placeholders of a text, in the browser.

use crate::isolation::isolated;

/// The text, of a language that is written from right to left or not, with its placeholders, such as `{days}`, filled.
pub fn fill(text: &str, right_to_left: bool, values: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        for (known, value) in values {
            if *known == name {
                filled.push_str(&isolated(value, right_to_left));
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use vestibule_locales::ISLANDS;

    use super::fill;
    use crate::{all, direction, is_rtl, island_texts, tag, td_string};

    /// The text of a key as it travels.
    fn travelling(texts: &str, key: &str) -> String {
        let number = ISLANDS.iter().position(|known| *known == key).unwrap();
        texts.lines().nth(2 + number).unwrap().to_owned()
    }

    #[test]
    fn the_browser_says_what_the_server_says() {
        for &locale in all() {
            let texts = island_texts(locale);
            assert_eq!(texts.lines().count(), 2 + ISLANDS.len(), "{locale}");
            assert!(texts.lines().all(|line| !line.is_empty()), "{locale}");
            assert_eq!(texts.lines().next(), Some(tag(locale)));
            assert_eq!(texts.lines().nth(1), Some(direction(locale)));
            assert_eq!(
                travelling(texts, "sign_in.title"),
                td_string!(locale, sign_in.title)
            );
            assert_eq!(
                travelling(texts, "errors.offline"),
                td_string!(locale, errors.offline)
            );
            let filled =
                |key: &str, values: &[(&str, String)]| fill(&travelling(texts, key), is_rtl(locale), values);
            assert_eq!(
                filled("sign_in.trust", &[("days", "30".to_owned())]),
                td_string!(locale, sign_in.trust, days = 30)
            );
            let values = [("longer", "1 h".to_owned()), ("shorter", "2 min".to_owned())];
            assert_eq!(
                filled("time.two_units", &values),
                td_string!(locale, time.two_units, longer = "1 h", shorter = "2 min")
            );
            for title in ["Sign in", "تسجيل الدخول"] {
                assert_eq!(
                    filled("common.refused_title", &[("title", title.to_owned())]),
                    td_string!(locale, common.refused_title, title = title)
                );
            }
        }
    }

    #[test]
    fn what_is_no_placeholder_of_ours_disappears() {
        let values = [("a", "{a}".to_owned())];
        assert_eq!(fill("{a} {b} {a}", false, &values), "{a}  {a}");
        assert_eq!(fill("x {a", false, &values), "x {a}");
        assert_eq!(fill("", false, &values), "");
    }
}
