//! What stands around the content of every page: the document, the frame of the site and that of the console.

pub mod console;
pub mod document;
pub mod session_end;
pub mod site;
