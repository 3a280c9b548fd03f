//! Numbers of product.md and the number sheet that both halves need.

/// Longest company name, in characters.
pub const COMPANY_MAX: usize = 64;
/// Longest account name, in characters.
pub const ACCOUNT_MAX: usize = 64;
/// Longest e-mail address, in characters (RFC 5321, 4.5.3.1.3 less the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Longest password, in characters (N2).
pub const PASSWORD_MAX: usize = 128;
/// Longest password, in bytes of UTF-8 (N2).
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// Digits of a one-time code (N10, N15).
pub const CODE_DIGITS: usize = 6;
/// Longest thing accepted in the code field before it is called malformed, in characters.
pub const CODE_FIELD_MAX: usize = 64;
/// Characters of a backup code, without its dashes: 80 bits in Crockford's base32 (N16).
pub const BACKUP_CODE_CHARS: usize = 16;
/// Backup codes of one set (N16).
pub const BACKUP_CODES: usize = 10;
/// With this many backup codes left, or fewer, the agent is warned.
pub const BACKUP_CODES_LOW: usize = 3;
/// Life of a backup code that an administrator issued, in seconds (N17).
pub const ISSUED_CODE_SECONDS: i64 = 60 * 60;
/// How long a proof of identity is good for changing credentials, in seconds (N21).
pub const STEP_UP_SECONDS: i64 = 300;
/// How long what was typed into a form is kept for somebody who has to sign in again, in seconds.
pub const KEPT_SECONDS: i64 = 15 * 60;
/// Forms that are kept for one account; the oldest goes when one more is kept.
pub const KEPT_FORMS_MAX: i64 = 20;
/// Seconds before the end of an idle session at which the page offers to stay.
pub const STAY_SECONDS: i64 = 2 * 60;
/// How long the set-up of a second factor may take, in seconds.
pub const SET_UP_SECONDS: i64 = 600;
/// Life of a temporary password and of an activation link, in hours (product.md section 5).
pub const NEW_AGENT_HOURS: i64 = 72;
/// Life of a link to choose a new password, in minutes (N22).
pub const RESET_LINK_MINUTES: i64 = 30;
/// Links to choose a new password that one account may ask for within an hour (N22).
pub const RESET_LINKS_OF_ACCOUNT: i64 = 3;
/// Links to choose a new password that one source may ask for within an hour (N22).
pub const RESET_LINKS_OF_SOURCE: i64 = 10;
/// Mails to confirm a new address that one account may ask for within an hour.
pub const CONFIRM_MAILS_OF_ACCOUNT: i64 = 5;
/// Test mails that one company may send within an hour.
pub const TEST_MAILS_OF_COMPANY: i64 = 20;
/// Longest host name, in characters (RFC 1035, 2.3.4).
pub const HOST_MAX: usize = 253;
/// Longest identifier and secret of an application at a provider, in characters.
pub const SSO_CLIENT_MAX: usize = 255;
/// Tenants of Office 365 that a company may name.
pub const SSO_TENANTS_MAX: usize = 20;
/// Longest name of an application, in characters.
pub const APPLICATION_NAME_MAX: usize = 64;
/// Longest address of an application, in characters.
pub const APPLICATION_URI_MAX: usize = 1000;
/// Addresses of one kind that an application may have.
pub const APPLICATION_URIS_MAX: usize = 20;
/// Applications that one company may have.
pub const APPLICATIONS_MAX: i64 = 200;
/// Longest request of an application to sign somebody in or out, in bytes, as it is sent: what proxies let through in an
/// address.
pub const OAUTH_REQUEST_MAX: usize = 8 * 1024;
/// Longest `state` and longest `nonce` of an application, in bytes. An answer in an address, where a byte may take the room of
/// three, stays within [`OAUTH_REQUEST_MAX`] with both the state and the longest address of an application.
pub const OAUTH_ECHOED_MAX: usize = 2048;
/// Requests of applications that are kept for one place while people sign in: those that need an address longer than
/// [`CARRIED_ADDRESS_MAX`]. An office may be one place.
pub const CARRIED_OF_SOURCE_MAX: i64 = 1_000;
/// The same for all places together; a few more until the oldest make room.
pub const CARRIED_MAX: i64 = 20_000;
/// Life of an authorization code, in seconds.
pub const CODE_OF_APPLICATION_SECONDS: i64 = 60;
/// Life of a ticket to an application behind a proxy, in seconds.
pub const APPLICATION_TICKET_SECONDS: i64 = 60;
/// Life of the word on who is signed in at an application behind a proxy, in seconds.
pub const ASSERTION_SECONDS: i64 = 60;
/// How long a server may remember what a session at an application is worth, in milliseconds.
pub const REMEMBERED_MILLISECONDS: i64 = 1000;
/// The same while it hears what other servers change, in seconds.
pub const HEARD_SECONDS: i64 = 10;
/// Life of an access token and of an ID token, in seconds.
pub const ACCESS_TOKEN_SECONDS: i64 = 300;
/// How long a used refresh token gives the same answer once more, in seconds.
pub const REFRESH_REUSE_SECONDS: i64 = 30;
/// How long the secret before the newest stays good after a rotation, in hours.
pub const OLD_SECRET_HOURS: i64 = 24;
/// How long an application is tried to be told of the end of a session, in hours.
pub const LOGOUT_NOTICE_HOURS: i64 = 24;
/// Longest user name and password of a mail server, in characters.
pub const MAIL_LOGIN_MAX: usize = 255;
/// Life of a link that confirms or stops a change of the e-mail address, in hours.
pub const EMAIL_LINK_HOURS: i64 = 72;
/// Longest reason for a backup code that is issued, in characters.
pub const REASON_MAX: usize = 200;
/// Longest search, in characters; its words are looked up by their beginnings.
pub const SEARCH_MAX: usize = 100;
/// From how many letters on a part of a word is found that is not its beginning.
pub const SEARCH_WITHIN: usize = 3;
/// Agents, or events, on one page, unless somebody wants to see more or fewer.
pub const PAGE_SIZE: usize = 50;
/// The numbers of agents on one page that are offered.
pub const PAGE_SIZES: [usize; 4] = [25, 50, 100, 200];
/// Most accounts that are ticked one by one and changed in one go: the largest page.
pub const SELECTED_MAX: usize = 200;
/// Most accounts that are changed in one go because a filter found them.
pub const FOUND_MAX: usize = 5_000;
/// How far accounts that a filter finds are counted: far enough to know whether all of them can be changed in one go.
pub const COUNTED_MAX: usize = FOUND_MAX + 1;
/// How far all accounts of a company are counted for its list.
pub const COUNTED_ALL_MAX: usize = 100_000;
/// How long a deactivation of several accounts can be undone, in seconds.
pub const UNDO_SECONDS: i64 = 10;
/// How long backup codes that were made, or issued, can be looked at again, in seconds: no longer than the proof of identity
/// that is asked for it.
pub const CODES_SHOWN_SECONDS: i64 = STEP_UP_SECONDS;
/// How long a list tells which of several agents were not changed, in seconds: the page has to be there.
pub const NOT_CHANGED_TOLD_SECONDS: i64 = 60;
/// Largest file of accounts to import, in bytes.
pub const IMPORT_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Most accounts in one file.
pub const IMPORT_LINES_MAX: usize = 10_000;
/// How long an uploaded file waits to be imported, and its result to be read, in hours.
pub const IMPORT_HOURS: i64 = 24;
/// Log-out Policy: fewest minutes without activity (product.md section 6).
pub const IDLE_MINUTES_LEAST: u16 = 15;
/// Log-out Policy: most minutes without activity.
pub const IDLE_MINUTES_MOST: u16 = 999;
/// Log-out Policy of a new company.
pub const IDLE_MINUTES_DEFAULT: u16 = 30;
/// Longest minimum password length that a company may ask for, in characters.
pub const PASSWORD_MIN_HIGHEST: usize = 64;
/// Shortest password that a company may ask for, in characters (product.md section 6).
pub const PASSWORD_MIN_LOWEST: usize = 8;
/// Shortest password of a new company, in characters (product.md section 6).
pub const PASSWORD_MIN_DEFAULT: usize = 12;
/// Longest first name, last name, alias, phone and title, in characters.
pub const PERSON_FIELD_MAX: usize = 100;
/// Wrong codes that lock an account (product.md section 4.5).
pub const WRONG_CODES_TO_LOCK: i64 = 5;
/// Seconds between two mailed codes of one pending sign-in (N12).
pub const RESEND_WAIT_SECONDS: i64 = 60;
/// Resends of one pending sign-in (N12).
pub const RESENDS_MAX: i64 = 5;
/// Life of a pending sign-in and of a mailed code, in seconds (N10, N11).
pub const PENDING_SECONDS: i64 = 600;
/// Code mails to one account within [`CODE_MAIL_BURST_SECONDS`] (N12).
pub const CODE_MAIL_BURST: i64 = 5;
/// Length of the short window for code mails, in seconds (N12).
pub const CODE_MAIL_BURST_SECONDS: i64 = 600;
/// Code mails to one account within 24 hours (N12).
pub const CODE_MAIL_DAY: i64 = 20;
/// Seconds after which a right code, sent again, is no longer a double click.
pub const DOUBLE_SUBMIT_SECONDS: i64 = 60;
/// Seconds for which the token of a trusted browser that was just replaced is still good: the answer with the new one may
/// be lost.
pub const TRUST_GRACE_SECONDS: i64 = 30;
/// Accounts that one browser remembers trust for (product.md section 4.7). With their tokens all cookies together stay
/// below 4 KiB.
pub const TRUSTED_ACCOUNTS_MAX: usize = 25;
/// Tokens that are read of one cookie: versions before kept so many. None of their agents is asked for a code before one of
/// them signs in: from then on the cookie holds the [`TRUSTED_ACCOUNTS_MAX`] that were used last, and the others are asked
/// once more.
pub const TRUSTED_TOKENS_READ: usize = 40;
/// Longest text that a browser keeps for all its ways to providers and back, in bytes. It is what is left of 4 KiB beside
/// the cookies that must not be lost.
pub const SSO_FLOWS_BYTES: usize = 2400;
/// What one such way needs of it without the address that it leads to, in bytes: its numbers, and the longest name of a company.
pub const SSO_WAY_BYTES: usize = 1000;
/// Longest address that a request of an application is carried along in, in bytes: wherever an agent is sent before it goes on,
/// there is room for it. What is longer is written down.
pub const CARRIED_ADDRESS_MAX: usize = SSO_FLOWS_BYTES - SSO_WAY_BYTES;
/// How far apart the clocks of two nodes may be without anybody noticing, in seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;
/// Sessions of one account; the oldest ends when one more begins (security.md 7.1.2).
pub const SESSIONS_MAX: i64 = 10;
/// Wrong passwords in one session, since it last proved who it is, that end it.
pub const SESSION_WRONG_PASSWORDS_MAX: i64 = 10;
/// Trusted browsers of one account; the oldest ends when one more is trusted (N18).
pub const TRUSTED_BROWSERS_MAX: i64 = 10;
/// How long somebody may stand in line before the sign-in page, in seconds.
pub const TICKET_SECONDS: i64 = 900;
/// How long the answer to somebody who stood in line can be fetched, in seconds.
pub const TICKET_ANSWER_SECONDS: i64 = 120;
/// After so many seconds without a word a node, and whoever stood in its line, is given up.
pub const TICKET_SILENT_SECONDS: i64 = 15;
/// Offices that one company may have.
pub const OFFICES_MAX: usize = 50;
/// Widest range of IPv4 addresses that can be an office, as the length of its prefix.
pub const OFFICE_PREFIX_IPV4: u8 = 16;
/// The same for IPv6.
pub const OFFICE_PREFIX_IPV6: u8 = 32;
/// Largest request body, in bytes (N25).
pub const BODY_MAX: usize = 64 * 1024;
