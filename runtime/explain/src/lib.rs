//! A page for each code that Weir says: what happened, why, what to do, an example. They lie in `pages/`; `cargo xtask
//! tidy` holds them against the codes in the sources, so that this room need not know those who say them. Start at
//! [`page`].

/// What is said of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code, such as `weir.http.not-granted`.
    pub code: &'static str,
    /// The page, in Markdown.
    pub text: &'static str,
}

const PAGES: &[Page] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of all codes `http-404`, `http-503` and so on.
const HTTP_STATUS: &str = "http-STATUS";

/// Every page, in the order of the codes.
pub fn pages() -> &'static [Page] {
    PAGES
}

/// The page of a code, if it is one of Weir's or of its SDKs'.
pub fn page(code: &str) -> Option<&'static Page> {
    let status = code.strip_prefix("http-").is_some_and(|status| status.len() == 3 && status.parse::<u16>().is_ok());
    let code = if status { HTTP_STATUS } else { code };
    PAGES.iter().find(|page| page.code == code)
}

/// The code that was most likely meant.
pub fn nearest(word: &str) -> Option<&'static str> {
    written::nearest(word, PAGES.iter().map(|page| page.code))
}

impl Page {
    /// What happened, in a sentence.
    pub fn summary(&self) -> String {
        let paragraph = self.text.split("\n\n").nth(1).unwrap_or_default();
        paragraph.replace('\n', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_happened_why_what_to_do_and_how_it_looks() {
        for Page { code, text } in pages() {
            let parts: Vec<&str> = text.split("\n\n").collect();
            assert_eq!(parts[0], format!("# {code}"));
            let heads: Vec<&str> = parts.iter().filter_map(|part| part.strip_prefix("## ")).collect();
            assert_eq!(heads, ["Why", "What to do", "Example"], "{code}");
            assert!(parts[1].ends_with('.') && !parts[1].starts_with('#'), "{code}: what happened, in a sentence");
            assert!(text.ends_with("\n```\n") && text.matches("```").count() == 2, "{code}: one example, at the end");
            assert!(text.lines().all(|line| line.chars().count() <= 120), "{code}: lines of 120 characters");
        }
    }

    #[test]
    fn a_page_is_found_by_its_code_and_a_slip_is_forgiven() {
        assert_eq!(page("weir.trap").map(|page| page.code), Some("weir.trap"));
        assert_eq!(page("http-503").map(|page| page.code), Some("http-STATUS"));
        assert_eq!((page("http-5xx"), page("weir.nothing")), (None, None));
        assert_eq!(nearest("weir.http.notgranted"), Some("weir.http.not-granted"));
        assert_eq!(nearest("duplicate-email-address-of-a-contact"), None);
    }

    #[test]
    fn a_summary_is_one_line() {
        assert!(pages().iter().all(|page| !page.summary().is_empty() && !page.summary().contains('\n')));
    }
}
