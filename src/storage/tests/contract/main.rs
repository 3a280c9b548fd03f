//! What the database promises, asked of SQLite and of PostgreSQL by the same list of tests.
//!
//! Every test is a function over a fresh, migrated database. `contract!` stamps each of them for both; a test that is
//! not in its list is unused code and does not compile without a warning.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod account;
mod audit;
mod borders;
mod cleanup;
mod code;
mod company;
mod complete;
mod connections;
mod fixture;
mod outbox;
mod pending;
mod session;
mod throttle;
mod trusted;

macro_rules! contract {
    ($($module:ident :: $test:ident),* $(,)?) => {
        mod sqlite {
            use vestibule_storage::test_support::TestStore;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let store = TestStore::sqlite().await;
                    crate::$module::$test(&store).await;
                }
            )*
        }

        mod postgres {
            use vestibule_storage::test_support::TestStore;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    if let Some(store) = TestStore::postgres().await {
                        crate::$module::$test(&store).await;
                    }
                }
            )*
        }
    };
}

contract! {
    account::an_account_is_read_as_it_was_written,
    account::names_and_addresses_are_unique_in_their_company,
    account::an_account_signs_in_by_name_or_address,
    account::accounts_are_listed_by_the_key_of_their_name,
    account::a_new_password_ends_what_was_proved_with_the_old_one,
    account::switches_and_notes_are_kept,
    account::five_wrong_codes_and_no_sixth,
    account::two_hundred_parallel_wrong_codes_count_five_times,
    account::an_unlock_forgives_everything,
    account::an_account_without_a_role_is_refused,
    account::holding_an_account_makes_others_wait,
    audit::events_are_listed_newest_first,
    audit::a_deleted_company_leaves_nothing_but_its_events,
    borders::another_companys_identifiers_do_not_exist,
    borders::nothing_is_attached_to_another_companys_account,
    cleanup::what_is_over_goes_and_what_counts_stays,
    code::a_code_is_used_once,
    code::a_replaced_or_expired_code_is_not_used,
    code::twenty_parallel_uses_have_one_winner,
    code::mailed_codes_are_counted_even_after_a_cancel,
    company::a_company_is_read_as_it_was_written,
    company::company_names_are_unique,
    company::switches_are_kept,
    connections::a_dropped_writer_rolls_back,
    connections::a_writer_reads_what_it_wrote_and_others_do_not,
    connections::a_failed_statement_spoils_the_commit,
    connections::a_caller_who_goes_away_leaves_no_transaction_open,
    connections::fifty_parallel_writers_all_succeed,
    connections::the_database_answers_and_is_up_to_date,
    connections::a_closed_database_is_unavailable,
    connections::a_reader_cannot_be_made_to_wait_by_a_writer,
    connections::a_full_pool_is_unavailable,
    connections::two_nodes_migrate_at_once,
    connections::errors_name_no_data,
    outbox::a_mail_goes_out_once_and_is_wiped,
    outbox::a_failing_mail_is_tried_again_and_given_up,
    outbox::urgent_mails_go_first_and_only_when_due,
    outbox::a_claim_of_a_dead_worker_ends,
    outbox::two_nodes_never_claim_the_same_mail,
    pending::a_pending_sign_in_is_read_as_it_was_written,
    pending::a_mail_is_marked_once,
    pending::a_pending_sign_in_is_completed_once_and_in_time,
    pending::a_cancelled_sign_in_takes_its_codes_along,
    session::a_session_is_read_with_its_company_and_account,
    session::a_session_is_touched_forwards_only,
    session::sessions_end_one_by_one_and_together,
    session::the_oldest_sessions_make_room,
    throttle::a_source_is_counted_in_fixed_windows,
    throttle::a_right_password_takes_its_try_back,
    throttle::wrong_passwords_are_counted_per_lane_until_blocked,
    throttle::parallel_wrong_passwords_are_all_counted,
    throttle::all_wrong_passwords_are_forgotten_together,
    trusted::a_trusted_browser_is_found_by_its_token,
    trusted::a_token_is_rotated_once,
    trusted::the_oldest_trusted_browsers_make_room,
    trusted::a_browser_is_known_to_the_account_that_used_it,
}
