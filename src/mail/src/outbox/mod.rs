//! The outbox: mails wait in the database until a mail server has taken them (product.md section 5, N27).

mod rules;
mod worker;

pub use rules::{Attempt, Decision, Next, Problem};
pub use worker::{CLAIM_SECONDS, Claimed, PARALLEL, Queue, Worker};
