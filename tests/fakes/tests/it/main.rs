//! The stand-ins, each used by the client it is made for.

mod chaos;
mod http;
mod inbox;
mod kit;
mod smtp;
mod stripe;
mod viewer;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
