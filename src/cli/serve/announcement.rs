//! What is done once the addresses are bound: they are told, shown, and opened.

use std::io::{self, IsTerminal as _};

use qrcodegen::{QrCode, QrCodeEcc};

use super::addresses;
use crate::cli::output;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcement {
    /// Tell where other machines reach it.
    pub(super) network: bool,
    /// Show that as a QR code.
    pub(super) qr: bool,
    /// Open it in the browser.
    pub(super) open: bool,
}

impl Announcement {
    /// Tells of these addresses. What cannot be done is told, too; the host goes on.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written.
    pub(super) fn make(self, bound: &[String]) -> io::Result<()> {
        let Some(first) = bound.first() else { return Ok(()) };
        if self.network {
            let ip = addresses::of_this_machine();
            match ip.and_then(|ip| addresses::on_the_network(first, ip)) {
                Some(there) => self.show(&there)?,
                None => output::complaint("warning: This machine has no address on a network.")?,
            }
        }
        if self.open {
            let address = addresses::on_this_machine(first);
            // It may take as long as the browser is open.
            tokio::task::spawn_blocking(move || opened(&address));
        }
        Ok(())
    }

    fn show(self, address: &str) -> io::Result<()> {
        let mut text = format!("On the network: {address}\n");
        if self.qr
            && let Ok(code) = QrCode::encode_text(address, QrCodeEcc::Low)
        {
            let colours = if io::stdout().is_terminal() { Colours::Ours } else { Colours::None };
            text += &drawn(&code, colours);
        }
        output::answer(text.as_bytes())
    }
}

/// Opens an address in the browser; tells it if there is none.
fn opened(address: &str) {
    if open::that(address).is_err() {
        let warning = format!("warning: No browser could be opened. The address is {address}");
        // Nobody is there to hear of a standard error that is closed.
        let _ = output::complaint(&warning);
    }
}

/// Whether the terminal is told which colours to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    /// Black on white: a code is read dark on light, whatever the terminal has.
    Ours,
    None,
}

/// How much room a code needs around it, in modules (ISO/IEC 18004).
const QUIET: i32 = 4;

/// A code in letters, two modules above each other in each.
fn drawn(code: &QrCode, colours: Colours) -> String {
    let (before, behind) = match colours {
        Colours::Ours => ("\x1b[30;107m", "\x1b[0m\n"),
        Colours::None => ("", "\n"),
    };
    let all = -QUIET..code.size() + QUIET;
    let mut text = String::new();
    for row in all.clone().step_by(2) {
        text += before;
        text.extend(all.clone().map(|column| {
            match (code.get_module(column, row), code.get_module(column, row + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            }
        }));
        text += behind;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_module_by_module() {
        let code = QrCode::encode_text("http://192.168.1.5:5000", QrCodeEcc::Low).unwrap();
        let text = drawn(&code, Colours::None);
        let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let width = code.size() + 2 * QUIET;
        assert!(rows.iter().all(|row| row.len() == width as usize));
        for (x, y) in (0..code.size()).flat_map(|x| (0..code.size()).map(move |y| (x, y))) {
            let at = rows[((y + QUIET) / 2) as usize][(x + QUIET) as usize];
            let upper = (y + QUIET) % 2 == 0;
            let dark = at == '█' || at == if upper { '▀' } else { '▄' };
            assert_eq!(dark, code.get_module(x, y), "{x}, {y}");
        }
        assert!(rows[0].iter().all(|it| *it == ' '));
        assert!(drawn(&code, Colours::Ours).starts_with("\x1b[30;107m"));
    }
}
