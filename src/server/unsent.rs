//! How much of what is written the system holds unsent, and when it asks for more.

use socket2::SockRef;

/// What Linux lets a socket of TCP hold at most, unless it is told otherwise.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEND_BUFFER: u64 = 4 * 1024 * 1024;

/// What Linux fills without another look at what is held already: the largest packet that it makes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PACKET: u64 = 64 * 1024;

/// Linux takes one packet more as long as less than the bound is unsent, and asks for more once less
/// than half of the bound is, and a third of its buffer is free. (`tcp_sendmsg_locked`,
/// `sk_stream_write_space`.)
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unseen_of_tcp(bound: Option<usize>) -> u64 {
    let bound = bound.map_or(u64::MAX, |bound| (bound as u64).max(1));
    let asks_at = (bound / 2).min(SEND_BUFFER / 3 * 2);
    bound.min(SEND_BUFFER) - asks_at + PACKET
}

/// Linux asks for more once three quarters of the buffer are free. (`unix_writable`.)
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unseen_of_unix(buffer: u64) -> u64 {
    buffer - buffer / 4 + PACKET
}

/// Nothing bounds what other systems hold but the buffer of the socket, which the last write may have
/// gone beyond, and no rule says when they ask for more.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn unseen_elsewhere(socket: &SockRef<'_>, last: usize) -> u64 {
    // It is asked of an open socket; as large as most are.
    socket.send_buffer_size().unwrap_or(64 * 1024).saturating_add(last) as u64
}

/// The same of a socket of TCP that nothing bounds but its buffer, which is as large now as the client has been fast.
/// When it grows, the system asks for more.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unseen_of_unbounded(socket: &SockRef<'_>) -> u64 {
    // It is asked of an open socket.
    let buffer = socket.send_buffer_size().map_or(SEND_BUFFER, |size| size as u64);
    buffer - buffer / 3 * 2 + PACKET
}

/// Bounds what the system holds unsent; it then shows, too, when a client takes some.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn bound(socket: &SockRef<'_>, most: Option<usize>) {
    // 0 is the bound that the system has for all: a reload may take ours away again.
    let most = most.map_or(0, |most| u32::try_from(most).unwrap_or(u32::MAX).max(1));
    let _ = socket.set_tcp_notsent_lowat(most);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn bound(_: &SockRef<'_>, _: Option<usize>) {}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn linux_asks_for_more_at_half_of_the_bound_and_may_hold_a_packet_beyond_it() {
        const KIB: u64 = 1024;
        for (bound, unseen) in [
            (Some(64 * 1024), (32 + 64) * KIB),
            (Some(4096), (2 + 64) * KIB),
            // As much as nothing is still a byte.
            (Some(0), 1 + 64 * KIB),
            (Some(1), 1 + 64 * KIB),
            // Where the buffer is full before the bound, a third of it has to be free.
            (Some(16 * 1024 * 1024), SEND_BUFFER - SEND_BUFFER / 3 * 2 + 64 * KIB),
            (None, SEND_BUFFER - SEND_BUFFER / 3 * 2 + 64 * KIB),
        ] {
            assert_eq!(unseen_of_tcp(bound), unseen, "{bound:?}");
        }
        assert_eq!(unseen_of_unix(208 * KIB), (156 + 64) * KIB);
    }
}
