/// The header fields of one request.
pub trait Headers {
    /// The field of this name; names are compared without regard to case.
    fn field(&self, name: &str) -> Field<'_>;
}

/// How often a header field came, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// Not at all.
    Absent,
    /// Once, with this value.
    Once(&'a [u8]),
    /// More than once: which of them a sender or a proxy meant cannot be known.
    Repeated,
}

/// Names and values in any order.
impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn field(&self, name: &str) -> Field<'_> {
        let mut values = self.iter().filter(|(other, _)| other.as_ref().eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (None, _) => Field::Absent,
            (Some((_, value)), None) => Field::Once(value.as_ref()),
            (Some(_), Some(_)) => Field::Repeated,
        }
    }
}
