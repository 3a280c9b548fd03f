//! The outbox: mails wait in the database until a mail server has taken them (product.md section 5, N27).

mod own_server;
mod rules;
mod worker;

pub use own_server::{Lane, OwnServer, Route};
pub use rules::{Attempt, Decision, Next, Problem, refuses_receiver};
pub use worker::{
    CLAIM_SECONDS, COMPANY_PLACES, Claimed, Counters, PARALLEL, PARALLEL_OF_COMPANY, Queue, Worker,
};
