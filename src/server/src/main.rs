//! Vestibule: the front door of a contact centre.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule_server::cli::main()
}
