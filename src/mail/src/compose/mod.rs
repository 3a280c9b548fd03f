//! Writes a mail: subject, text and HTML in the receiver's language (product.md section 5).
//!
//! Every sentence comes from `locales/<language>/mail.json`. Names are put into sentences as text: whatever somebody
//! typed, it makes no header, no markup and no link.

mod facts;
mod layout;

use vestibule_core::mail::Mail;
use vestibule_translations::{Locale, direction, from_tag, is_rtl, tag, td_string};

use facts::{clean, isolate};
use layout::{Block, Page, WebLink};

/// A mail in words. It may hold a code, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// The plain text, with `\n` between lines.
    pub text: String,
    /// A whole HTML page that says the same and loads nothing.
    pub html: String,
}

/// Writes `mail` in the language of the tag; `de-AT` is written in `de` when there is no `de-AT`, and a language
/// nobody translated in English.
pub fn compose(mail: &Mail, language: &str) -> Message {
    let page = Words(from_tag(language).unwrap_or_default()).page(mail);
    Message {
        text: layout::text(&page),
        html: layout::html(&page),
        subject: page.subject,
    }
}

/// The words of one language.
struct Words(Locale);

impl Words {
    fn page(&self, mail: &Mail) -> Page {
        let locale = self.0;
        let (subject, heading, name, company, mut blocks) = match mail {
            Mail::SignInCode {
                name,
                company,
                code,
                minutes,
                browser,
                address,
            } => {
                let code = clean(code);
                let minutes = *minutes;
                let blocks = vec![
                    Block::Paragraph(td_string!(locale, mail.code_intro, company = self.fact(company))),
                    Block::Code(code.clone()),
                    Block::Paragraph(td_string!(locale, mail.code_life, minutes = minutes)),
                    self.place(td_string!(locale, mail.asked_from), browser, address),
                    paragraph(td_string!(locale, mail.code_not_you)),
                ];
                // The code is in the subject for people who read it in a notification; it need not be said thrice.
                (
                    td_string!(locale, mail.code_subject, code = code),
                    false,
                    name,
                    company,
                    blocks,
                )
            }
            Mail::AccountLocked {
                name,
                company,
                account,
                browser,
                address,
            } => {
                let (fact, place) = (self.fact(account), self.fact(company));
                let blocks = vec![
                    Block::Paragraph(td_string!(
                        locale,
                        mail.locked_intro,
                        account = fact,
                        company = place
                    )),
                    paragraph(td_string!(locale, mail.locked_next)),
                    self.place(td_string!(locale, mail.last_try_from), browser, address),
                    paragraph(td_string!(locale, mail.locked_not_you)),
                ];
                (
                    td_string!(locale, mail.locked_subject).to_owned(),
                    true,
                    name,
                    company,
                    blocks,
                )
            }
            Mail::AccountUnlocked {
                name,
                company,
                account,
                link,
            } => {
                let (fact, place) = (self.fact(account), self.fact(company));
                let mut blocks = vec![Block::Paragraph(td_string!(
                    locale,
                    mail.unlocked_intro,
                    account = fact,
                    company = place
                ))];
                let label = td_string!(locale, mail.unlocked_button).to_owned();
                blocks.extend(WebLink::parse(link).map(|link| Block::Button { label, link }));
                (
                    td_string!(locale, mail.unlocked_subject).to_owned(),
                    true,
                    name,
                    company,
                    blocks,
                )
            }
        };
        let name = self.fact(name);
        if !name.is_empty() {
            blocks.insert(
                0,
                Block::Paragraph(td_string!(locale, mail.greeting, name = name)),
            );
        }
        Page {
            language: tag(locale),
            direction: direction(locale),
            product: td_string!(locale, common.product),
            subject: clean(&subject),
            heading,
            blocks,
            footer: td_string!(locale, mail.footer, company = self.fact(company)),
        }
    }

    /// A fact ready to stand in a sentence.
    fn fact(&self, fact: &str) -> String {
        isolate(clean(fact), is_rtl(self.0))
    }

    /// Where a request came from, as far as it is known.
    fn place(&self, label: &str, browser: &str, address: &str) -> Block {
        let (browser, address) = (self.fact(browser), self.fact(address));
        let browser = if browser.is_empty() {
            td_string!(self.0, mail.unknown_place).to_owned()
        } else {
            browser
        };
        let place = if address.is_empty() {
            browser
        } else {
            format!("{browser} · {address}")
        };
        Block::Facts(vec![(label.to_owned(), place)])
    }
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(words.to_owned())
}

#[cfg(test)]
mod tests;
