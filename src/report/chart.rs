//! Charts as SVG that stretches with the page. Only shapes stretch: all text stands around them as text of the page, so
//! that it keeps its size and colours on a phone and on paper. It does not know what a chart shows.

use maud::{Markup, html};
use std::fmt::Write as _;

/// The size of the drawing in its own coordinates.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// The parts of a chart.
pub(super) struct Chart<'a> {
    /// What the chart shows, for screen readers.
    pub(super) alternative: &'a str,
    pub(super) scale: Scale,
    /// Times that are marked, behind everything else.
    pub(super) bands: &'a [Band],
    pub(super) shapes: Vec<SvgPath>,
    /// Times from the left edge to the right one.
    pub(super) times: Vec<String>,
}

/// A stretch of the horizontal axis that is marked; its ends as parts of the width.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) class: &'static str,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) label: String,
}

/// The narrowest band, and the least distance of two labels: parts of the width.
const NARROWEST: f64 = 0.004;
const APART: f64 = 0.035;

impl Band {
    /// The left edge and the width.
    fn place(&self) -> (f64, f64) {
        let (from, to) = (self.from.clamp(0.0, 1.0), self.to.clamp(0.0, 1.0));
        (from, (to - from).max(NARROWEST).min(1.0 - from))
    }

    fn middle(&self) -> f64 {
        let (from, width) = self.place();
        from + width / 2.0
    }
}

/// The bands whose labels have room.
fn with_room(bands: &[Band]) -> impl Iterator<Item = &Band> {
    let mut last = f64::NEG_INFINITY;
    bands.iter().filter(move |band| {
        let has_room = band.middle() - last >= APART;
        if has_room {
            last = band.middle();
        }
        has_room
    })
}

/// A path of the drawing. Its class gives it a colour.
pub(super) struct SvgPath {
    class: &'static str,
    path: String,
}

/// The vertical axis: from 0 to a round number, with marks at round numbers.
pub(super) struct Scale {
    top: f64,
    /// The height of each mark from 0 to 1, and its label.
    marks: Vec<(f64, String)>,
}

impl Scale {
    /// A scale that `highest` fits on; `label` formats the value of a mark.
    pub(super) fn to(highest: f64, label: impl Fn(f64) -> String) -> Scale {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let magnitude = 10f64.powf((highest / 4.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * magnitude).find(|step| highest / step <= 4.0);
        let step = step.unwrap_or(highest);
        let count = (highest / step).ceil().max(1.0);
        let marks = (0..=count as u32).map(|n| (f64::from(n) / count, label(f64::from(n) * step))).collect();
        Scale { top: count * step, marks }
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT * (1.0 - (value / self.top).clamp(0.0, 1.0))
    }
}

/// Bars of (slice, lower value, upper value), in a drawing of this many slices.
pub(super) fn bars(
    class: &'static str,
    slices: usize,
    scale: &Scale,
    bars: impl Iterator<Item = (usize, f64, f64)>,
) -> SvgPath {
    let slot = WIDTH / slices.max(1) as f64;
    let gap = if slices > 60 { 0.12 } else { 0.18 } * slot;
    let mut path = String::new();
    for (at, from, to) in bars.filter(|(_, from, to)| to > from) {
        let (x, low, high) = (at as f64 * slot + gap / 2.0, scale.y(from), scale.y(to));
        // Writing to memory does not fail.
        let _ = write!(path, "M{x:.1} {low:.1}V{:.1}h{:.1}V{low:.1}z", high.min(low - 1.0), slot - gap);
    }
    SvgPath { class, path }
}

/// A line in steps of (slice, value), in a drawing of this many slices. Without a value, the line has a gap.
pub(super) fn line(
    class: &'static str,
    slices: usize,
    scale: &Scale,
    points: impl Iterator<Item = (usize, f64)>,
) -> SvgPath {
    let slot = WIDTH / slices.max(1) as f64;
    let mut path = String::new();
    let mut before = None;
    for (at, value) in points {
        let (x, y) = (at as f64 * slot, scale.y(value));
        let joins = before.is_some_and(|before: usize| before + 1 == at);
        let _ = match joins {
            true => write!(path, "V{y:.1}H{:.1}", x + slot),
            false => write!(path, "M{x:.1} {y:.1}H{:.1}", x + slot),
        };
        before = Some(at);
    }
    SvgPath { class, path }
}

impl Chart<'_> {
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.plot {
                @if !self.bands.is_empty() {
                    div.signs aria-hidden="true" {
                        @for band in with_room(self.bands) {
                            span class={ "sign " (band.class) } style={ "left:" (format!("{:.1}", band.middle() * 100.0)) "%" } { (band.label) }
                        }
                    }
                }
                div.marks aria-hidden="true" {
                    @for (height, label) in &self.scale.marks {
                        span style={ "bottom:" (format!("{:.1}", height * 100.0)) "%" } { (label) }
                    }
                }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(self.alternative) {
                    @for band in self.bands {
                        @let (from, width) = band.place();
                        path class=(band.class) d=(format!("M{:.1} 0H{:.1}V{HEIGHT}H{:.1}z", from * WIDTH, (from + width) * WIDTH, from * WIDTH)) {}
                    }
                    @for (height, _) in &self.scale.marks {
                        path.grid d={ "M0 " (format!("{:.1}", HEIGHT * (1.0 - height))) "H" (WIDTH) } {}
                    }
                    @for shape in self.shapes.iter().filter(|shape| !shape.path.is_empty()) {
                        path class=(shape.class) d=(shape.path) {}
                    }
                }
                div.times aria-hidden="true" {
                    @for time in &self.times { span { (time) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_round_numbers() {
        let marks = |highest| {
            let scale = Scale::to(highest, |value| format!("{value}"));
            scale.marks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(marks(102.0), "0 50 100 150");
        assert_eq!(marks(1.0), "0 0.25 0.5 0.75 1");
        assert_eq!(marks(7.0), "0 2 4 6 8");
        assert_eq!(marks(0.0), "0 0.25 0.5 0.75 1");
    }
}
