//! What is copied: every table, and of each the columns and the key, as PostgreSQL knows them.

use std::collections::HashMap;

use sqlx::PgConnection;

/// Every table with content, those that others refer to before them. Only companies and applications refer to each other:
/// see [`LATER`].
pub(crate) const TABLES: [&str; 47] = [
    "key_check",
    "folding",
    "company",
    "company_office",
    "account",
    "account_role",
    "account_word",
    "backup_code",
    "issued_code",
    "known_browser",
    "trusted_browser",
    "session",
    "session_note",
    "kept",
    "ended_session",
    "pending_sign_in",
    "one_time_code",
    "mailed_code",
    "factor_set_up",
    "set_up_code",
    "account_link",
    "agent_import",
    "agent_import_line",
    "reset_request",
    "mail_server",
    "mail_outbox",
    "sso_application",
    "sso_identity",
    "sso_flow",
    "application",
    "application_secret",
    "application_session",
    "access_grant",
    "refresh_token",
    "access_token",
    "carried_request",
    "signing_key",
    "password_try",
    "source_try",
    "source_account",
    "source_wrong",
    "source_right",
    "sign_in_line",
    "sign_in_ticket",
    "node",
    "audit_kept",
    "audit_event",
];

/// What a database knows of itself. Its triggers count the agents that come.
#[cfg(test)]
pub(crate) const OWN: [&str; 3] = ["_sqlx_migrations", "agent_tally", "copy_mark"];

/// The column of the first table that is filled when everything else is there.
pub(crate) const LATER: (&str, &str) = ("company", "after_sign_in");

const COLUMNS: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, NULL) \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
    ORDER BY c.relname, a.attnum";
const KEYS: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
    WHERE n.nspname = current_schema() AND i.indisprimary ORDER BY c.relname, k.place";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Bytes,
    Number,
    Flag,
    At,
    Text,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Id,
            "bytea" => Self::Bytes,
            "bigint" => Self::Number,
            "boolean" => Self::Flag,
            "timestamp with time zone" => Self::At,
            "text" => Self::Text,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A table with its columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    /// Places of the columns that make up its key.
    pub(crate) key: Vec<usize>,
}

impl Table {
    pub(crate) fn key(&self) -> Vec<Column> {
        self.key
            .iter()
            .filter_map(|place| self.columns.get(*place))
            .cloned()
            .collect()
    }
}

/// All tables, as PostgreSQL has them. One of another form is left out, and so is missed.
///
/// # Errors
/// What the database says.
pub(crate) async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>, sqlx::Error> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(COLUMNS).fetch_all(&mut *connection).await?;
    let mut columns: HashMap<String, Option<Vec<Column>>> = HashMap::new();
    for (table, name, kind) in rows {
        let known = columns.entry(table).or_insert_with(|| Some(Vec::new()));
        match (Kind::of(&kind), known.as_mut()) {
            (Some(kind), Some(known)) => known.push(Column { name, kind }),
            _ => *known = None,
        }
    }
    let keys: Vec<(String, String)> = sqlx::query_as(KEYS).fetch_all(connection).await?;
    let table = |name: &'static str| {
        let columns = columns.get(name)?.clone()?;
        let place = |wanted: &str| columns.iter().position(|column| column.name == wanted);
        let key: Option<Vec<usize>> = keys
            .iter()
            .filter(|(table, _)| table == name)
            .map(|(_, column)| place(column))
            .collect();
        let key = key.filter(|key| !key.is_empty())?;
        Some(Table { name, columns, key })
    };
    Ok(TABLES.into_iter().filter_map(table).collect())
}
