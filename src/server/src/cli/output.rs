//! Answers: tables for people, JSON for programs.

use std::io::{self, Write};

use serde::Serialize;
use vestibule_core::{account::Account, company::Company, ports::Moment};
use vestibule_storage::InstallationCounts;

/// A company in JSON.
#[derive(Serialize)]
pub(super) struct CompanyView<'a> {
    id: String,
    name: &'a str,
    language: &'a str,
    time_zone: &'a str,
    enabled: bool,
    two_factor_policy: i64,
    require_second_factor: &'static str,
    password_min: usize,
    idle_minutes: Option<u16>,
    new_agent_mail: &'static str,
    created_at: Moment,
}

impl<'a> From<&'a Company> for CompanyView<'a> {
    fn from(company: &'a Company) -> Self {
        Self {
            id: company.id.to_string(),
            name: &company.name,
            language: &company.settings.language,
            time_zone: &company.settings.time_zone,
            enabled: company.enabled,
            two_factor_policy: company.settings.two_factor.days(),
            require_second_factor: company.settings.require_second_factor.as_str(),
            password_min: company.settings.password_min,
            idle_minutes: company.settings.idle_minutes,
            new_agent_mail: company.settings.new_agent_mail.as_str(),
            created_at: company.created_at,
        }
    }
}

/// An account in JSON.
#[derive(Serialize)]
pub(super) struct AccountView<'a> {
    id: String,
    account: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    roles: Vec<&'static str>,
    language: Option<&'a str>,
    second_factor: &'static str,
    active: bool,
    locked_at: Option<Moment>,
    created_at: Moment,
    last_sign_in_at: Option<Moment>,
}

impl<'a> From<&'a Account> for AccountView<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            id: account.id.to_string(),
            account: &account.name,
            email: &account.email,
            first_name: &account.person.first_name,
            last_name: &account.person.last_name,
            roles: account.roles.iter().map(|role| role.as_str()).collect(),
            language: account.person.language.as_deref(),
            second_factor: second_factor(account),
            active: account.active,
            locked_at: account.locked_at,
            created_at: account.created_at,
            last_sign_in_at: account.last_sign_in_at,
        }
    }
}

/// Writes a list as JSON.
pub(super) fn json<T: Serialize>(output: &mut dyn Write, list: &[T]) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, list)?;
    writeln!(output)
}

/// Writes one thing as JSON.
pub(super) fn json_object<T: Serialize>(output: &mut dyn Write, value: &T) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, value)?;
    writeln!(output)
}

/// Writes companies as a table.
pub(super) fn companies(output: &mut dyn Write, companies: &[Company]) -> io::Result<()> {
    let rows = companies.iter().map(|company| {
        let policy = company
            .settings
            .two_factor
            .trust_days()
            .map_or_else(|| "every login".to_owned(), |days| format!("{days} days"));
        let state = if company.enabled { "enabled" } else { "disabled" };
        [
            company.name.clone(),
            state.to_owned(),
            company.settings.language.clone(),
            company.settings.time_zone.clone(),
            policy,
        ]
    });
    table(
        output,
        ["NAME", "STATE", "LANGUAGE", "TIME ZONE", "2FA POLICY"],
        rows,
    )
}

/// A list of accounts that is written a page at a time.
pub(super) struct AccountList {
    json: bool,
    widths: [usize; ACCOUNT_HEAD.len()],
    empty: bool,
}

const ACCOUNT_HEAD: [&str; 7] = [
    "ACCOUNT",
    "E-MAIL",
    "NAME",
    "ROLES",
    "SECOND FACTOR",
    "STATE",
    "LAST SIGN-IN",
];

impl AccountList {
    /// A list as JSON or as a table.
    pub(super) const fn new(json: bool) -> Self {
        Self {
            json,
            widths: [0; ACCOUNT_HEAD.len()],
            empty: true,
        }
    }

    /// Writes some more accounts.
    pub(super) fn page(&mut self, output: &mut dyn Write, accounts: &[Account]) -> io::Result<()> {
        if self.json {
            return self.json_page(output, accounts);
        }
        let head = (self.empty && !accounts.is_empty()).then(|| ACCOUNT_HEAD.map(str::to_owned));
        let rows: Vec<_> = head.into_iter().chain(accounts.iter().map(account_row)).collect();
        self.empty &= rows.is_empty();
        aligned(output, &rows, &mut self.widths)
    }

    fn json_page(&mut self, output: &mut dyn Write, accounts: &[Account]) -> io::Result<()> {
        for account in accounts {
            output.write_all(if self.empty { b"[\n" } else { b",\n" })?;
            self.empty = false;
            serde_json::to_writer_pretty(&mut *output, &AccountView::from(account))?;
        }
        Ok(())
    }

    /// Ends the list; says whether something stands in it, or need not be said.
    pub(super) fn end(self, output: &mut dyn Write) -> io::Result<bool> {
        if self.json {
            output.write_all(if self.empty { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(self.json || !self.empty)
    }
}

fn account_row(account: &Account) -> [String; ACCOUNT_HEAD.len()] {
    let moment = |moment: Moment| moment.format("%Y-%m-%d %H:%M UTC").to_string();
    let state = match account.locked_at {
        Some(at) => format!("locked {}", moment(at)),
        None if account.active => "active".to_owned(),
        None => "inactive".to_owned(),
    };
    let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
    [
        account.name.clone(),
        account.email.clone(),
        account.person.alias.clone(),
        roles.join(", "),
        second_factor(account).to_owned(),
        state,
        account.last_sign_in_at.map_or_else(|| "never".to_owned(), moment),
    ]
}

/// Writes the numbers of the installation.
pub(super) fn counts(output: &mut dyn Write, counts: &InstallationCounts, json: bool) -> io::Result<()> {
    let numbers = [
        ("companies", counts.companies),
        ("enabled_companies", counts.enabled_companies),
        ("accounts", counts.accounts),
        ("locked", counts.locked),
        ("sessions", counts.sessions),
        ("pending_sign_ins", counts.pending),
        ("waiting_mails", counts.waiting_mails),
        ("events", counts.events),
    ];
    if json {
        let object: serde_json::Map<_, _> = numbers
            .into_iter()
            .map(|(name, number)| (name.to_owned(), number.into()))
            .collect();
        serde_json::to_writer_pretty(&mut *output, &object)?;
        return writeln!(output);
    }
    for (name, number) in numbers {
        writeln!(output, "{:<18} {number}", name.replace('_', " "))?;
    }
    Ok(())
}

fn second_factor(account: &Account) -> &'static str {
    match (account.email_factor, account.app_factor) {
        (true, true) => "both",
        (true, false) => "email",
        (false, true) => "app",
        (false, false) => "none",
    }
}

pub(super) fn table<const N: usize>(
    output: &mut dyn Write,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    aligned(output, &rows, &mut [0; N])
}

/// Writes rows in columns that are at least as wide as `widths`, which grow with them.
fn aligned<const N: usize>(
    output: &mut dyn Write,
    rows: &[[String; N]],
    widths: &mut [usize; N],
) -> io::Result<()> {
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths.iter())
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(output, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
