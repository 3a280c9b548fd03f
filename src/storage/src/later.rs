//! Writes whose outcome nobody waits for: they go together, as one statement, before the next one that is asked for an answer.
//! With a database some milliseconds away, a sign-in writes its five rows in one trip.

use crate::{
    Reader, StoreError,
    built::{Built, Value},
};

/// Values to be bound, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::built::Value::from($value)),*]
    };
}
pub(crate) use values;

/// Most of them that are one statement. Loops that write many rows make few different texts so, which stay prepared.
const MOST: usize = 8;

/// A write that has not been sent yet. Whatever is asked next, a read of the same transaction too, sees it.
pub(crate) struct Later {
    table: &'static str,
    /// Whether it only adds a row, which another row of the same table does not hinder.
    adds: bool,
    sql: &'static str,
    values: Vec<Value>,
}

impl Later {
    /// Adds a row to a table.
    pub(crate) fn adding(table: &'static str, sql: &'static str, values: Vec<Value>) -> Self {
        Self {
            table,
            adds: true,
            sql,
            values,
        }
    }

    /// Changes or deletes rows of a table, or adds one unless it is there.
    pub(crate) fn changing(table: &'static str, sql: &'static str, values: Vec<Value>) -> Self {
        Self {
            adds: false,
            ..Self::adding(table, sql, values)
        }
    }

    pub(crate) fn touches(&self, table: &str) -> bool {
        self.table == table
    }

    /// PostgreSQL runs those that go together side by side: none sees what another did.
    fn may_go_with(&self, other: &Self) -> bool {
        self.table != other.table || (self.adds && other.adds)
    }
}

impl Reader {
    /// Sends a write with the next statement, or with the end of the transaction. It fails then if it has to.
    ///
    /// # Errors
    /// [`StoreError`] of those before it, where it cannot go with them.
    pub(crate) async fn write_later(&mut self, later: Later) -> Result<(), StoreError> {
        if self.later.len() >= MOST || !self.later.iter().all(|before| later.may_go_with(before)) {
            self.settle_later().await?;
        }
        self.later.push(later);
        Ok(())
    }
}

/// All of them as one: parts of one statement on PostgreSQL; on SQLite, which has no such thing, one text that its driver
/// takes apart without another trip to its thread.
pub(crate) fn joined(later: Vec<Later>, on_postgres: bool) -> Built {
    const NAMES: [&str; MOST] = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7"];
    let last = later.len().saturating_sub(1);
    let mut built = Built::new("");
    for (index, (Later { sql, values, .. }, name)) in later.into_iter().zip(NAMES).enumerate() {
        let is_part = on_postgres && index < last;
        if is_part {
            built
                .add(if index == 0 { "WITH " } else { ", " })
                .add(name)
                .add(" AS (");
        } else if !on_postgres && index > 0 {
            built.add("; ");
        }
        built.append(sql, values);
        if is_part {
            built.add(if index + 1 < last { ")" } else { ") " });
        }
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<Later> {
        vec![
            Later::adding(
                "a",
                "INSERT INTO a VALUES ($1, $2, $1)",
                vec![Value::Number(1), Value::Number(2)],
            ),
            Later::changing("b", "DELETE FROM b", Vec::new()),
            Later::changing(
                "c",
                "UPDATE c SET x = $2 WHERE id = $1",
                vec![Value::Number(3), Value::Number(4)],
            ),
        ]
    }

    #[test]
    fn those_that_go_together_are_one_statement_with_numbers_of_its_own() {
        let postgres = joined(three(), true);
        assert_eq!(
            postgres.text(),
            "WITH l0 AS (INSERT INTO a VALUES ($1, $2, $1)), l1 AS (DELETE FROM b) \
             UPDATE c SET x = $4 WHERE id = $3"
        );
        assert_eq!(postgres.values.len(), 4);
        assert_eq!(
            joined(three(), false).text(),
            "INSERT INTO a VALUES ($1, $2, $1); DELETE FROM b; UPDATE c SET x = $4 WHERE id = $3"
        );
        let one = || three().into_iter().take(1).collect();
        for on_postgres in [true, false] {
            assert_eq!(
                joined(one(), on_postgres).text(),
                "INSERT INTO a VALUES ($1, $2, $1)"
            );
        }
        let mut two = three();
        two.truncate(2);
        assert_eq!(
            joined(two, true).text(),
            "WITH l0 AS (INSERT INTO a VALUES ($1, $2, $1)) DELETE FROM b"
        );
    }

    #[test]
    fn what_might_touch_the_same_row_does_not_go_together() {
        let adding = || Later::adding("a", "", Vec::new());
        let changing = || Later::changing("a", "", Vec::new());
        assert!(adding().may_go_with(&adding()));
        assert!(!adding().may_go_with(&changing()));
        assert!(!changing().may_go_with(&adding()));
        assert!(!changing().may_go_with(&changing()));
        assert!(Later::changing("b", "", Vec::new()).may_go_with(&changing()));
    }
}
