//! How figures are summed up.

/// Median and quartiles.
pub(crate) struct Spread {
    pub(crate) least: f64,
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    pub(crate) fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |part: f64| figures[((figures.len() - 1) as f64 * part).round() as usize];
        Self { least: figures[0], low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.3} [{:.3} – {:.3}]", self.median, self.low, self.high)
    }
}

/// Prints the figures of all rounds as a row; nothing where the system did not tell.
pub(crate) fn row(figures: Option<Vec<f64>>, unit: &str) {
    if let Some(figures) = figures {
        println!("    {} {unit}", Spread::of(figures));
    }
}
