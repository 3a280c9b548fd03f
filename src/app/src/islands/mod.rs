//! The two sign-in screens that come to life in the browser. One island each holds all that reacts or changes
//! language; without scripts the same HTML is a plain form.

mod code;
mod login;

pub use code::CodeScreen;
pub use login::LoginScreen;
