//! Mails on their way to a real mail server on a real socket.

#[cfg(test)]
mod companies;
#[cfg(test)]
mod server;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod worker;
