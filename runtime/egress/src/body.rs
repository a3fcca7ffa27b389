use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use crate::HttpFaultKind;
use crate::fault::Failure;

/// Collects the body of an answer, undoing gzip, and never holds more than its limit.
pub(crate) struct Collector {
    into: Into,
    received_bytes: usize,
    bytes_max: usize,
}

enum Into {
    /// As long as there is one piece only, it is handed on as it is.
    One(Bytes),
    Many(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Collector {
    pub(crate) fn new(is_gzip: bool, bytes_max: usize) -> Self {
        let into = if is_gzip {
            Into::Gzip(Box::new(MultiGzDecoder::new(Bounded { bytes: Vec::new(), bytes_max })))
        } else {
            Into::One(Bytes::new())
        };
        Self { into, received_bytes: 0, bytes_max }
    }

    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), Failure> {
        self.received_bytes += piece.len();
        if self.received_bytes > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        match &mut self.into {
            Into::One(first) if first.is_empty() => *first = piece,
            Into::One(first) => self.into = Into::Many([first.as_ref(), piece.as_ref()].concat()),
            Into::Many(bytes) => bytes.extend_from_slice(&piece),
            Into::Gzip(decoder) => {
                decoder.write_all(&piece).map_err(|error| undecodable(&error, self.bytes_max))?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Bytes, Failure> {
        match self.into {
            Into::One(bytes) => Ok(bytes),
            Into::Many(bytes) => Ok(bytes.into()),
            // Answers without a body may name a coding all the same.
            Into::Gzip(_) if self.received_bytes == 0 => Ok(Bytes::new()),
            Into::Gzip(decoder) => {
                let bounded = decoder.finish().map_err(|error| undecodable(&error, self.bytes_max))?;
                Ok(bounded.bytes.into())
            }
        }
    }
}

/// Takes so many bytes and refuses more, so that a bomb is cut while it is being unpacked.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn too_large(bytes_max: usize) -> Failure {
    let message = format!("the answer's body exceeds the limit `response_body` of {bytes_max} bytes");
    Failure::new(HttpFaultKind::TooLarge, "weir.http.limit.response-body", message)
}

fn undecodable(error: &io::Error, bytes_max: usize) -> Failure {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return too_large(bytes_max);
    }
    Failure::new(HttpFaultKind::Broken, "weir.http.encoding", "the answer's body is not valid gzip")
        .with_detail(format!("the answer's body is not valid gzip: {error}"))
}
