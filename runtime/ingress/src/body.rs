use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use crate::Limits;
use crate::problem::Refusal;

/// A sender that is refused early is still writing, and a connection closed on it would take the answer with it. So much
/// of its body is thrown away before the answer.
const DISCARD_BYTES_MAX: usize = 1024 * 1024;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(1);

/// Reads a body of at most `max` bytes that keeps to the limits of time.
pub(crate) async fn read(body: &mut Incoming, max: usize, limits: &Limits) -> Result<Bytes, Refusal> {
    let announced = body.size_hint().lower();
    if announced > max as u64 {
        return Err(Refusal::BodyTooLarge { max });
    }
    let start = Instant::now();
    let mut only = Bytes::new();
    let mut joined = BytesMut::new();
    loop {
        let read = only.len() + joined.len();
        let due = limits.body_grace + Duration::from_secs_f64(read as f64 / f64::from(limits.body_rate_min.max(1)));
        let frame = match timeout_at(start + due.min(limits.body), body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Err(Refusal::BodyBroken { reason: error.to_string() }),
            Ok(None) => break,
            Err(_) => return Err(Refusal::BodyTooSlow { rate_min: limits.body_rate_min, total: limits.body }),
        };
        // Trailers are read and left alone.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > max - read {
            return Err(Refusal::BodyTooLarge { max });
        }
        if read == 0 {
            // Most bodies come in one piece, which is not copied.
            only = data;
            continue;
        }
        if joined.is_empty() {
            joined.reserve((announced as usize).max(read + data.len()));
            joined.extend_from_slice(&std::mem::take(&mut only));
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { only } else { joined.freeze() })
}

/// Throws away what a refused sender is still writing, within bounds.
pub(crate) async fn discard(body: &mut Incoming) {
    let mut left = DISCARD_BYTES_MAX;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Whether it ended or was cut short, the answer follows.
    let _ = timeout(DISCARD_TIME_MAX, all).await;
}
