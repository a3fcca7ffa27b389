//! What a project may be called.

use super::Lang;
use crate::stop::Stop;

/// Keywords, and crates that the project names itself.
const RUST: &str = "\
    abstract alloc as async await become box break const continue core crate do dyn else enum extern false final \
    fn for gen if impl in let loop macro match mod move mut override priv proc_macro pub ref return self serde \
    serde_json static std struct super test trait true try type typeof unsafe unsized use virtual weir_sdk where \
    while yield";

/// Keywords, and modules of Python's own library, which one of the same name would hide.
const PYTHON: &str = "\
    abc aifc and antigravity argparse array as assert ast async asynchat asyncio asyncore atexit audioop await \
    base64 bdb binascii bisect break builtins bz2 calendar cgi cgitb chunk class cmath cmd code codecs codeop \
    collections colorsys compileall concurrent configparser contextlib contextvars continue copy copyreg crypt csv \
    ctypes curses dataclasses datetime dbm decimal def del difflib dis distutils doctest elif else email encodings \
    ensurepip enum errno except faulthandler fcntl filecmp fileinput finally fnmatch for fractions from ftplib \
    functools gc genericpath getopt getpass gettext glob global graphlib grp gzip hashlib heapq hmac html http \
    idlelib if imaplib imghdr imp import importlib in inspect io ipaddress is itertools json keyword lambda \
    lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt \
    multiprocessing netrc nis nntplib nonlocal not nt ntpath nturl2path numbers opcode operator optparse or os \
    ossaudiodev pass pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint \
    profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri raise random re readline \
    reprlib resource return rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd \
    smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string \
    stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios \
    textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc try tty turtle \
    turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser weir_entry \
    weir_sdk while winreg winsound wit_world with wsgiref xdrlib xml xmlrpc yield zipapp zipfile zipimport zlib \
    zoneinfo";

/// A name must be what the manifest takes as an id, and what the language can call a module.
pub(super) fn check(name: &str, lang: Lang) -> Result<(), Stop> {
    let is_id = name.len() <= 64
        && name.starts_with(|char: char| char.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_id {
        let rule = "lower-case letters, digits and hyphens, beginning with a letter, at most 64";
        return Err(Stop::usage(format!("`{name}` is no name for a plugin: write {rule}")));
    }
    let (reserved, language) = match lang {
        Lang::Rust => (RUST, "Rust"),
        Lang::Python => (PYTHON, "Python"),
        // Neither makes a module of the name that something else could be mistaken for.
        Lang::Ts | Lang::Js | Lang::Go => return Ok(()),
    };
    let module = name.replace('-', "_");
    if reserved.split_whitespace().any(|word| word == module) {
        let title = format!("`{module}` means something else to {language}; choose another name, as `{name}-plugin`");
        return Err(Stop::usage(title));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str, lang: Lang) -> String {
        check(name, lang).expect_err("refused").title
    }

    #[test]
    fn a_name_is_an_id() {
        let longest = "a".repeat(64);
        for name in ["a", "order-mapper", "x2", &longest] {
            assert!(check(name, Lang::Ts).is_ok(), "{name}");
        }
        for name in ["", "2x", "-x", "Order", "order_mapper", "a/b", "..", "é", &format!("{longest}a")] {
            assert!(refused(name, Lang::Ts).starts_with(&format!("`{name}` is no name")), "{name}");
        }
    }

    #[test]
    fn what_the_language_keeps_for_itself_is_no_name_there() {
        let expected = "`json` means something else to Python; choose another name, as `json-plugin`";
        assert_eq!(refused("json", Lang::Python), expected);
        assert!(check("json", Lang::Go).is_ok() && check("json-plugin", Lang::Python).is_ok());
        assert!(refused("serde-json", Lang::Rust).starts_with("`serde_json`"));
        assert!(refused("async", Lang::Python).contains("Python") && refused("type", Lang::Rust).contains("Rust"));
    }
}
