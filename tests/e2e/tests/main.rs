//! The real binary, tried from outside: events go in over HTTP, stand-ins say what came out, the admin API says what
//! happened between. Knows files, commands and ports only; never links the server. Start at [`world::World`].

mod api;
mod author;
mod bad_input;
mod bench;
mod clients;
mod compared;
mod conformance;
mod contacts;
mod development;
mod disk;
mod exceptions;
mod exported;
mod guides;
mod hot_loading;
mod kill;
mod languages;
mod material;
mod operator;
mod pinned;
mod published;
mod smoke;
mod tokens;
mod types;
mod world;
