//! What the database promises, asked of SQLite and of PostgreSQL by the same list of tests.
//!
//! Every test is a function over a fresh, migrated database. `contract!` stamps each of them for both; a test that is
//! not in its list is unused code and does not compile without a warning.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod account;
mod agents;
mod application;
mod application_session;
mod audit;
mod authenticator;
mod backup;
mod backup_code;
mod borders;
mod carried;
mod cleanup;
mod code;
mod company;
mod connections;
mod copy;
mod fixture;
mod folding;
mod grant;
mod import;
mod kept;
mod key_check;
mod links;
mod mail_server;
mod node;
mod note;
mod others;
mod outbox;
mod overview;
mod pending;
mod recovery;
mod session;
mod set_up;
mod sign_in;
mod sso;
mod tally;
mod throttle;
mod ticket;
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
    account::a_profile_is_read_as_it_was_written,
    account::codes_by_email_are_switched_with_a_new_credential_version,
    account::five_wrong_codes_and_no_sixth,
    account::two_hundred_parallel_wrong_codes_count_five_times,
    account::five_counted_codes_are_a_lock_for_everybody_who_looks,
    account::an_unlock_forgives_everything,
    account::an_account_without_a_role_is_refused,
    account::holding_an_account_makes_others_wait,
    agents::every_page_is_the_one_that_it_should_be,
    agents::a_long_list_is_walked_in_its_order,
    agents::agents_are_found_by_the_beginnings_of_their_words,
    agents::a_cursor_that_is_gone_means_the_start,
    agents::agents_are_counted_and_listed_by_identifier,
    agents::an_agent_is_saved_once_per_version,
    agents::an_address_waits_and_then_counts,
    agents::a_deleted_account_takes_everything_along,
    agents::one_admin_always_stays,
    agents::accounts_from_before_get_their_words,
    application::an_application_is_read_as_it_was_written,
    application::secrets_of_an_application_end_one_after_the_other,
    application_session::a_ticket_becomes_a_session_once_and_ends_with_it,
    application_session::who_remembers_sessions_hears_of_what_may_change_them,
    others::nodes_hear_what_others_change,
    others::a_line_that_is_cut_is_known_and_mended,
    others::where_nothing_is_passed_on_the_line_is_not_trusted,
    grant::a_grant_is_read_with_the_session_that_it_came_of,
    grant::a_code_and_a_refresh_token_have_one_winner,
    grant::a_session_that_ends_ends_what_came_of_it,
    grant::a_lock_and_a_new_password_end_what_came_of_the_old_one,
    grant::an_application_is_told_by_one_server_and_once,
    grant::applications_are_told_in_turn,
    grant::what_ends_before_its_session_is_told_with_it,
    grant::what_ended_early_is_told_at_the_end_of_its_session_at_the_latest,
    grant::an_idle_session_is_found_as_long_as_something_came_of_it,
    grant::an_old_session_is_found_as_long_as_something_came_of_it,
    grant::what_applications_got_goes_when_it_is_over,
    grant::a_code_that_nobody_used_goes_soon,
    grant::of_each_algorithm_one_key_is_in_use_and_one_comes_next,
    grant::every_account_has_a_public_number,
    audit::events_are_listed_newest_first,
    audit::events_are_paged_and_filtered,
    audit::events_are_found_by_outcome_actor_and_source,
    audit::the_log_is_only_ever_added_to,
    audit::the_oldest_day_of_the_log_goes,
    audit::names_outlive_their_accounts,
    audit::a_deleted_company_leaves_nothing_but_its_events,
    authenticator::an_app_is_read_as_it_was_written,
    authenticator::only_a_later_step_of_the_present_secret_is_used,
    authenticator::a_hinted_step_is_refused,
    authenticator::twenty_parallel_uses_of_a_step_have_one_winner,
    authenticator::secrets_of_all_companies_are_sealed_anew,
    backup::what_an_old_copy_would_revive_ends,
    backup_code::a_set_is_read_as_it_was_written,
    backup_code::a_backup_code_is_used_once,
    backup_code::a_replaced_set_is_dead,
    backup_code::parallel_sets_leave_one_whole_set,
    backup_code::the_newest_issued_code_replaces_the_older,
    backup_code::an_issued_code_that_ended_early_is_still_known,
    backup_code::an_issued_code_is_used_once_and_in_time,
    backup_code::twenty_parallel_uses_of_a_backup_code_have_one_winner,
    borders::another_companys_identifiers_do_not_exist,
    borders::nothing_is_attached_to_another_companys_account,
    borders::no_second_factor_is_attached_to_another_companys_account,
    carried::a_long_request_is_found_by_its_token_for_a_day,
    carried::there_are_never_more_long_requests_than_there_is_room_for,
    cleanup::what_is_over_goes_and_what_counts_stays,
    cleanup::links_and_imports_go_at_their_end,
    cleanup::a_long_clean_up_lets_others_write_in_between,
    cleanup::what_somebody_holds_is_passed_over,
    cleanup::a_set_up_goes_at_its_end_and_an_issued_code_a_day_later,
    code::a_code_is_used_once,
    code::a_replaced_or_expired_code_is_not_used,
    code::twenty_parallel_uses_have_one_winner,
    code::mailed_codes_are_counted_even_after_a_cancel,
    code::a_mailed_code_is_known_again_until_it_is_used,
    code::what_an_entered_code_is_compared_with_is_read_at_once,
    code::no_more_old_codes_are_known_than_may_be_mailed_in_a_day,
    company::a_company_is_read_as_it_was_written,
    company::company_names_are_unique,
    company::switches_are_kept,
    company::settings_are_saved_once_per_version,
    company::what_a_policy_has_ended_stays_ended,
    company::an_unknown_policy_is_not_guessed,
    folding::names_from_before_are_found_by_every_spelling,
    folding::twins_are_told_and_both_work_on,
    folding::a_name_is_taken_in_every_spelling,
    connections::a_dropped_writer_rolls_back,
    connections::a_writer_reads_what_it_wrote_and_others_do_not,
    connections::a_failed_statement_spoils_the_commit,
    connections::what_nobody_waits_for_is_seen_by_what_comes_next,
    connections::a_read_of_one_table_takes_along_what_touches_it,
    connections::what_nobody_waits_for_fails_at_the_commit_at_the_latest,
    connections::what_follows_a_commit_is_done_after_it_or_never,
    connections::a_caller_who_goes_away_leaves_no_transaction_open,
    connections::fifty_parallel_writers_all_succeed,
    connections::the_database_answers_and_is_up_to_date,
    connections::a_closed_database_is_unavailable,
    connections::a_reader_cannot_be_made_to_wait_by_a_writer,
    connections::a_full_pool_is_unavailable,
    connections::a_transaction_that_is_ended_for_others_runs_again,
    connections::readers_with_nothing_to_do_are_closed,
    connections::two_nodes_migrate_at_once,
    connections::errors_name_no_data,
    connections::a_server_that_goes_away_in_a_transaction_is_found_again,
    connections::a_server_that_only_reads_is_left,
    connections::a_server_that_is_away_is_told_at_once,
    connections::a_server_that_falls_silent_is_away,
    import::an_import_is_read_as_it_was_written,
    import::an_import_is_run_by_one,
    kept::a_kept_form_is_its_browsers_and_its_accounts,
    kept::of_each_form_of_an_account_the_newest_is_kept,
    kept::the_oldest_kept_form_of_an_account_makes_room,
    key_check::a_key_is_noted_once_and_retired,
    key_check::a_key_is_in_use_while_something_is_made_with_it,
    links::a_link_is_read_as_it_was_written,
    links::a_newer_link_replaces_the_older,
    links::twenty_parallel_uses_of_a_link_have_one_winner,
    links::an_unknown_purpose_is_not_guessed,
    outbox::a_mail_goes_out_once_and_is_wiped,
    outbox::a_failing_mail_is_tried_again_and_given_up,
    outbox::urgent_mails_go_first_and_only_when_due,
    outbox::a_claim_of_a_dead_worker_ends,
    mail_server::a_mail_server_is_saved_once_per_version,
    mail_server::passwords_of_mail_servers_are_sealed_anew,
    node::a_node_is_noted_and_forgotten_a_day_later,
    note::a_note_is_its_sessions_until_it_is_over,
    node::the_database_tells_the_time,
    outbox::two_nodes_never_claim_the_same_mail,
    outbox::a_company_with_a_server_of_its_own_has_a_lane_of_its_own,
    outbox::a_failing_mail_of_a_sign_in_is_hurried,
    outbox::older_mails_of_a_kind_are_counted_and_dropped,
    outbox::a_test_mail_keeps_what_the_server_said,
    outbox::what_waits_in_the_outbox_is_counted,
    overview::who_is_signed_in_is_counted_once,
    overview::what_waits_and_what_happened_is_counted,
    pending::a_pending_sign_in_is_read_as_it_was_written,
    pending::a_mail_is_marked_once,
    pending::a_pending_sign_in_is_completed_once_and_in_time,
    pending::a_code_and_its_sign_in_are_used_together,
    pending::a_cancelled_sign_in_takes_its_codes_along,
    pending::all_pendings_of_a_company_go_together_and_no_others,
    pending::what_a_company_holds_is_counted,
    pending::a_step_up_names_its_session_and_a_method_changes_while_it_is_open,
    recovery::requests_are_taken_oldest_first,
    recovery::two_nodes_never_take_the_same_request,
    recovery::requests_of_a_source_are_counted_by_the_hour,
    session::why_a_session_is_over_is_known_by_its_token,
    session::a_session_is_read_with_its_company_and_account,
    session::a_session_is_touched_forwards_only,
    session::sessions_end_one_by_one_and_together,
    session::an_idle_session_that_was_used_meanwhile_goes_on,
    session::the_oldest_sessions_make_room,
    session::a_session_is_proved_once_more,
    session::a_former_token_ends_its_session_and_opens_nothing,
    session::a_session_is_kept_without_a_proof,
    session::others_end_and_this_one_stays,
    session::an_unknown_proof_is_not_guessed,
    session::wrong_passwords_are_counted_in_their_session_until_a_proof,
    set_up::a_set_up_is_read_as_it_was_written,
    set_up::a_newer_set_up_replaces_the_older_with_its_codes,
    set_up::parallel_set_ups_leave_one,
    set_up::a_set_up_ends_once,
    set_up::codes_of_a_set_up_are_listed_newest_first,
    set_up::a_mail_of_a_set_up_is_marked_once,
    sign_in::an_account_is_found_by_what_was_typed,
    sign_in::what_a_new_session_needs_is_read_at_once,
    sign_in::a_right_code_forgets_wrong_ones_and_no_lock,
    sso::what_a_company_says_is_saved_once_per_version,
    sso::a_provider_is_in_use_when_an_enabled_company_lets_it_in,
    sso::an_identity_is_one_accounts_and_an_account_has_one_of_each_provider,
    tally::numbers_are_kept_through_every_change,
    tally::changes_at_once_are_all_kept,
    tally::many_rows_become_one_and_the_sums_stay,
    tally::wrong_numbers_are_mended,
    throttle::wrong_passwords_of_a_source_are_listed_the_newest_first,
    borders::a_source_earns_with_each_account_of_a_company_once,
    throttle::a_count_is_taken_back_with_its_block,
    throttle::links_that_a_source_asks_for_are_counted_by_the_hour,
    borders::a_company_names_its_offices,
    ticket::somebody_waits_in_line_until_there_is_an_answer,
    sso::a_browser_comes_back_once_and_its_flow_ends_once,
    throttle::wrong_passwords_are_counted_per_lane_until_blocked,
    throttle::parallel_wrong_passwords_are_all_counted,
    throttle::all_wrong_passwords_are_forgotten_together,
    trusted::a_trusted_browser_is_found_by_its_token,
    trusted::a_token_is_rotated_once,
    trusted::the_oldest_trusted_browsers_make_room,
    trusted::trust_that_is_over_takes_nobodys_place,
    trusted::the_tokens_of_a_browser_are_found_whosever_they_are,
    trusted::trust_is_listed_and_ended_one_by_one,
    trusted::a_browser_is_known_to_the_account_that_used_it,
}
