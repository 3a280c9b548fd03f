//! The words of every mail in one language: what happened, from where, and what to do if that was not the receiver.

use vestibule_core::{
    limits::BACKUP_CODES_LOW,
    mail::{About, FactorChange, Mail},
    ports::Moment,
};
use vestibule_translations::{Locale, isolate, td_string, wait};

use super::{
    facts::{Facts, clean},
    layout::{Block, Copied, Page, WebLink},
};

/// The words of one language about one receiver.
pub(super) struct Words {
    locale: Locale,
    facts: Facts,
}

/// What one mail says between greeting and footer.
struct Body {
    subject: String,
    /// Whether the subject is shown above the text too.
    heading: bool,
    blocks: Vec<Block>,
}

impl Words {
    /// The words for `mail` in `locale`.
    pub(super) fn new(locale: Locale, mail: &Mail, at: Moment) -> Self {
        Self {
            locale,
            facts: Facts::of(mail, locale, at),
        }
    }

    /// The whole mail. `mail` is the one that the words were made for.
    pub(super) fn page(&self, mail: &Mail) -> Page {
        let locale = self.locale;
        let body = self.body(mail);
        let name = &self.facts.name;
        let greeting =
            (!name.is_empty()).then(|| Block::Paragraph(td_string!(locale, mail.greeting, name = name)));
        Page {
            locale,
            product: td_string!(locale, common.product),
            company: self.facts.company.clone(),
            subject: clean(&body.subject),
            heading: body.heading,
            blocks: greeting.into_iter().chain(body.blocks).collect(),
            footer: td_string!(locale, mail.footer, company = &self.facts.company),
        }
    }

    fn body(&self, mail: &Mail) -> Body {
        match mail {
            Mail::SignInCode { code, minutes, .. } => self.sign_in_code(&clean(code), *minutes),
            Mail::AccountLocked { .. } => self.account_locked(),
            Mail::AccountUnlocked { link, .. } => self.account_unlocked(link),
            Mail::ConfirmCode { code, minutes, .. } => self.confirm_code(&clean(code), *minutes),
            Mail::SetUpCode { code, minutes, .. } => self.set_up_code(&clean(code), *minutes),
            Mail::PasswordChanged { .. } => self.password_changed(),
            Mail::SecondFactorChanged { change, .. } => self.second_factor_changed(*change),
            Mail::BackupCodeUsed { left, .. } => self.backup_code_used(*left),
            Mail::BackupCodeIssued { minutes, .. } => self.backup_code_issued(*minutes),
            Mail::NewBrowser { .. } => self.new_browser(),
            Mail::SessionCut { .. } => self.session_cut(),
            Mail::AccountDetails {
                about,
                sign_in,
                email,
                password,
                hours,
            } => self.account_details(about, [sign_in, email, password], *hours),
            Mail::ActivationLink {
                about,
                link,
                sign_in,
                hours,
            } => self.activation_link(about, [link, sign_in], *hours),
            Mail::ResetLink { link, minutes, .. } => self.reset_link(link, *minutes),
            Mail::PasswordReset { .. } => self.password_reset(),
            Mail::PasswordRemoved { provider, .. } => self.password_removed(&clean(provider)),
            Mail::ConfirmEmail { link, hours, .. } => self.confirm_email(link, *hours),
            Mail::EmailChangeBegan { stop, hours, .. } => self.email_change_began(stop, *hours),
            Mail::SsoConnected { provider, shown, .. } => self.sso_connected(&clean(provider), shown),
            Mail::SsoDisconnected { provider, .. } => self.sso_disconnected(&clean(provider)),
            Mail::TestMail { server, .. } => self.test_mail(&clean(server)),
            Mail::PoliciesChanged { .. } => self.policies_changed(),
        }
    }

    fn sign_in_code(&self, code: &str, minutes: u32) -> Body {
        let locale = self.locale;
        self.code(
            td_string!(locale, mail.code_subject, code = code),
            td_string!(locale, mail.code_intro, company = &self.facts.company),
            code,
            minutes,
            td_string!(locale, mail.code_not_you),
        )
    }

    fn confirm_code(&self, code: &str, minutes: u32) -> Body {
        let locale = self.locale;
        self.code(
            td_string!(locale, mail.confirm_subject, code = code),
            td_string!(locale, mail.confirm_intro, company = &self.facts.company),
            code,
            minutes,
            td_string!(locale, mail.account_code_not_you),
        )
    }

    fn set_up_code(&self, code: &str, minutes: u32) -> Body {
        let locale = self.locale;
        self.code(
            td_string!(locale, mail.set_up_subject, code = code),
            td_string!(locale, mail.set_up_intro, company = &self.facts.company),
            code,
            minutes,
            td_string!(locale, mail.account_code_not_you),
        )
    }

    fn minutes(&self, minutes: u32) -> String {
        wait(self.locale, minutes.saturating_mul(60))
    }

    fn hours(&self, hours: u32) -> String {
        self.minutes(hours.saturating_mul(60))
    }

    /// A mail that brings a code. The code is in the subject for people who read it in a notification; it need not be
    /// said thrice, so there is no heading.
    fn code(&self, subject: String, intro: String, code: &str, minutes: u32, not_you: &str) -> Body {
        let locale = self.locale;
        Body {
            subject,
            heading: false,
            blocks: vec![
                Block::Paragraph(intro),
                Block::Code(code.to_owned()),
                Block::Paragraph(td_string!(locale, mail.code_life, time = self.minutes(minutes))),
                self.place(td_string!(locale, mail.asked_from)),
                paragraph(not_you),
            ],
        }
    }

    fn account_locked(&self) -> Body {
        let (locale, account, company) = self.sentence_parts();
        notice(
            td_string!(locale, mail.locked_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.locked_intro,
                    account = account,
                    company = company
                )),
                paragraph(td_string!(locale, mail.locked_next)),
                self.place(td_string!(locale, mail.last_try_from)),
                paragraph(td_string!(locale, mail.locked_not_you)),
            ],
        )
    }

    fn account_unlocked(&self, link: &str) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.unlocked_intro,
            account = account,
            company = company
        ))];
        blocks.extend(button(td_string!(locale, mail.unlocked_button), link));
        notice(td_string!(locale, mail.unlocked_subject), blocks)
    }

    fn password_changed(&self) -> Body {
        let (locale, account, company) = self.sentence_parts();
        notice(
            td_string!(locale, mail.password_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.password_intro,
                    account = account,
                    company = company
                )),
                self.place(td_string!(locale, mail.done_from)),
                // Whoever did not change it does not know it any more and cannot change it back.
                paragraph(td_string!(locale, mail.password_not_you)),
            ],
        )
    }

    fn second_factor_changed(&self, change: FactorChange) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let what = match change {
            FactorChange::EmailOn => {
                td_string!(locale, mail.factor_email_on, account = account, company = company)
            }
            FactorChange::EmailOff => {
                td_string!(
                    locale,
                    mail.factor_email_off,
                    account = account,
                    company = company
                )
            }
            FactorChange::AppOn => {
                td_string!(locale, mail.factor_app_on, account = account, company = company)
            }
            FactorChange::AppOff => {
                td_string!(locale, mail.factor_app_off, account = account, company = company)
            }
            FactorChange::BackupCodes => {
                td_string!(
                    locale,
                    mail.factor_backup_codes,
                    account = account,
                    company = company
                )
            }
        };
        notice(
            td_string!(locale, mail.factor_subject),
            vec![
                Block::Paragraph(what),
                self.place(td_string!(locale, mail.done_from)),
                paragraph(td_string!(locale, mail.not_you)),
            ],
        )
    }

    fn backup_code_used(&self, left: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![
            Block::Paragraph(td_string!(
                locale,
                mail.backup_used_intro,
                account = account,
                company = company
            )),
            Block::Paragraph(td_string!(locale, mail.backup_left, count = left)),
        ];
        if usize::try_from(left).is_ok_and(|left| left <= BACKUP_CODES_LOW) {
            blocks.push(paragraph(td_string!(locale, mail.backup_low)));
        }
        blocks.push(self.place(td_string!(locale, mail.done_from)));
        blocks.push(paragraph(td_string!(locale, mail.not_you)));
        notice(td_string!(locale, mail.backup_used_subject), blocks)
    }

    fn backup_code_issued(&self, minutes: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let blocks = vec![
            Block::Paragraph(td_string!(
                locale,
                mail.backup_issued_intro,
                account = account,
                company = company
            )),
            Block::Paragraph(td_string!(locale, mail.code_life, time = self.minutes(minutes))),
        ];
        let not_you = td_string!(locale, mail.backup_issued_not_you);
        self.done(td_string!(locale, mail.backup_issued_subject), blocks, not_you)
    }

    fn new_browser(&self) -> Body {
        let (locale, account, company) = self.sentence_parts();
        notice(
            td_string!(locale, mail.new_browser_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.new_browser_intro,
                    account = account,
                    company = company
                )),
                self.place(td_string!(locale, mail.signed_in_from)),
                paragraph(td_string!(locale, mail.not_you)),
            ],
        )
    }

    fn session_cut(&self) -> Body {
        let (locale, account, company) = self.sentence_parts();
        notice(
            td_string!(locale, mail.session_cut_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.session_cut_intro,
                    account = account,
                    company = company
                )),
                self.place(td_string!(locale, mail.last_try_from)),
                paragraph(td_string!(locale, mail.session_cut_not_you)),
            ],
        )
    }

    fn account_details(&self, about: &About, [sign_in, email, password]: [&str; 3], hours: u32) -> Body {
        let locale = self.locale;
        let name = |fact: &str| Copied::Name(clean(fact));
        let sign_in =
            WebLink::parse(sign_in).map(|link| (td_string!(locale, mail.details_url), Copied::Link(link)));
        let details = [
            (td_string!(locale, mail.details_company), name(&about.company)),
            (td_string!(locale, mail.details_account), name(&about.account)),
            (td_string!(locale, mail.details_email), name(email)),
            (
                td_string!(locale, mail.details_password),
                Copied::Secret(clean(password)),
            ),
        ];
        notice(
            td_string!(locale, mail.details_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.details_intro,
                    company = &self.facts.company
                )),
                Block::ToCopy(sign_in.into_iter().chain(details).collect()),
                Block::Paragraph(td_string!(locale, mail.details_life, time = self.hours(hours))),
                paragraph(td_string!(locale, mail.new_agent_not_you)),
            ],
        )
    }

    fn activation_link(&self, about: &About, [link, sign_in]: [&str; 2], hours: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.activation_intro,
            account = account,
            company = company
        ))];
        blocks.extend(button(td_string!(locale, mail.choose_button), link));
        blocks.push(Block::Paragraph(td_string!(
            locale,
            mail.activation_life,
            time = self.hours(hours)
        )));
        let sign_in =
            WebLink::parse(sign_in).map(|link| (td_string!(locale, mail.details_url), Copied::Link(link)));
        let names = [
            (td_string!(locale, mail.details_company), clean(&about.company)),
            (td_string!(locale, mail.details_account), clean(&about.account)),
        ];
        let names = names
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(label, name)| (label, Copied::Name(name)));
        blocks.push(Block::ToCopy(sign_in.into_iter().chain(names).collect()));
        blocks.push(paragraph(td_string!(locale, mail.new_agent_not_you)));
        notice(td_string!(locale, mail.activation_subject), blocks)
    }

    fn reset_link(&self, link: &str, minutes: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.reset_intro,
            account = account,
            company = company
        ))];
        blocks.extend(button(td_string!(locale, mail.choose_button), link));
        blocks.push(Block::Paragraph(td_string!(
            locale,
            mail.reset_life,
            time = self.minutes(minutes)
        )));
        blocks.push(self.known_place(td_string!(locale, mail.asked_from)));
        blocks.push(paragraph(td_string!(locale, mail.reset_not_you)));
        notice(td_string!(locale, mail.reset_subject), blocks)
    }

    fn password_reset(&self) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let blocks = vec![
            Block::Paragraph(td_string!(
                locale,
                mail.password_reset_intro,
                account = account,
                company = company
            )),
            paragraph(td_string!(locale, mail.password_reset_next)),
        ];
        let not_you = td_string!(locale, mail.password_reset_not_you);
        self.done(td_string!(locale, mail.password_reset_subject), blocks, not_you)
    }

    fn password_removed(&self, provider: &str) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let blocks = vec![
            Block::Paragraph(td_string!(
                locale,
                mail.password_removed_intro,
                account = account,
                company = company
            )),
            Block::Paragraph(td_string!(
                locale,
                mail.password_removed_next,
                provider = provider
            )),
        ];
        let not_you = td_string!(locale, mail.password_reset_not_you);
        self.done(td_string!(locale, mail.password_removed_subject), blocks, not_you)
    }

    fn confirm_email(&self, link: &str, hours: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.confirm_email_intro,
            account = account,
            company = company
        ))];
        blocks.extend(button(td_string!(locale, mail.confirm_email_button), link));
        blocks.push(Block::Paragraph(td_string!(
            locale,
            mail.confirm_email_life,
            time = self.hours(hours)
        )));
        blocks.push(paragraph(td_string!(locale, mail.confirm_email_not_you)));
        notice(td_string!(locale, mail.confirm_email_subject), blocks)
    }

    fn email_change_began(&self, stop: &str, hours: u32) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let new_email = (
            td_string!(locale, mail.email_change_new).to_owned(),
            self.facts.new_email.clone(),
        );
        let mut blocks = vec![
            Block::Paragraph(td_string!(
                locale,
                mail.email_change_intro,
                account = account,
                company = company
            )),
            Block::Facts(vec![new_email]),
            Block::Paragraph(td_string!(
                locale,
                mail.email_change_stop,
                time = self.hours(hours)
            )),
        ];
        blocks.extend(button(td_string!(locale, mail.email_change_button), stop));
        let not_you = td_string!(locale, mail.email_change_not_you);
        self.done(td_string!(locale, mail.email_change_subject), blocks, not_you)
    }

    fn sso_connected(&self, provider: &str, shown: &str) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let mut blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.sso_connected_intro,
            provider = provider,
            account = account,
            company = company
        ))];
        if !shown.is_empty() {
            let label = td_string!(locale, mail.sso_connected_shown).to_owned();
            blocks.push(Block::Facts(vec![(label, clean(shown))]));
        }
        let subject = td_string!(locale, mail.sso_connected_subject, provider = provider);
        self.done(&subject, blocks, td_string!(locale, mail.not_you))
    }

    fn sso_disconnected(&self, provider: &str) -> Body {
        let (locale, account, company) = self.sentence_parts();
        let blocks = vec![Block::Paragraph(td_string!(
            locale,
            mail.sso_disconnected_intro,
            provider = provider,
            account = account,
            company = company
        ))];
        let subject = td_string!(locale, mail.sso_disconnected_subject, provider = provider);
        self.done(&subject, blocks, td_string!(locale, mail.not_you))
    }

    fn test_mail(&self, server: &str) -> Body {
        let (locale, _, company) = self.sentence_parts();
        notice(
            td_string!(locale, mail.test_subject),
            vec![
                Block::Paragraph(td_string!(
                    locale,
                    mail.test_intro,
                    company = company,
                    server = server
                )),
                paragraph(td_string!(locale, mail.test_next)),
            ],
        )
    }

    fn policies_changed(&self) -> Body {
        let (locale, _, company) = self.sentence_parts();
        let by = &self.facts.by;
        let intro = if by.is_empty() {
            td_string!(locale, mail.policies_operator, company = company)
        } else {
            td_string!(locale, mail.policies_intro, company = company, by = by)
        };
        let blocks = vec![Block::Paragraph(intro)];
        let not_you = td_string!(locale, mail.policies_not_you);
        self.done(td_string!(locale, mail.policies_subject), blocks, not_you)
    }

    /// What nearly every sentence is made of: the language, the account and the company.
    fn sentence_parts(&self) -> (Locale, &str, &str) {
        (self.locale, &self.facts.account, &self.facts.company)
    }

    /// A notice of something that was done: what, from where, and what to do when it was somebody else.
    fn done(&self, subject: &str, mut blocks: Vec<Block>, not_you: &str) -> Body {
        blocks.push(self.known_place(td_string!(self.locale, mail.done_from)));
        blocks.push(paragraph(not_you));
        notice(subject, blocks)
    }

    /// When it happened, and where it came from where anything is known of that: what an operator does on the command line
    /// has no place to speak of.
    fn known_place(&self, label: &str) -> Block {
        if self.facts.browser.is_empty() && self.facts.address.is_empty() {
            Block::Facts(vec![self.when()])
        } else {
            self.place(label)
        }
    }

    fn when(&self) -> (String, String) {
        (
            td_string!(self.locale, mail.when).to_owned(),
            self.facts.when.clone(),
        )
    }

    /// When it happened and where it came from, as far as that is known.
    fn place(&self, label: &str) -> Block {
        let Facts { browser, address, .. } = &self.facts;
        let browser = if browser.is_empty() {
            td_string!(self.locale, mail.unknown_place)
        } else {
            browser
        };
        let place = if address.is_empty() {
            browser.to_owned()
        } else {
            [isolate(self.locale, browser), isolate(self.locale, address)].join(" · ")
        };
        Block::Facts(vec![(label.to_owned(), place), self.when()])
    }
}

/// A mail about something that happened, with its subject as the heading.
fn notice(subject: &str, blocks: Vec<Block>) -> Body {
    Body {
        subject: subject.to_owned(),
        heading: true,
        blocks,
    }
}

/// The one thing to do next; nothing when a mail must not link to that address.
fn button(label: &str, link: &str) -> Option<Block> {
    let label = label.to_owned();
    WebLink::parse(link).map(|link| Block::Button { label, link })
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(words.to_owned())
}
