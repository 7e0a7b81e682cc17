//! Charts as SVG that stretches with the page. Only shapes are stretched: what is to be read stands around them as
//! text of the page, in its size and its colours, on a phone as on paper.

use maud::{Markup, html};
use std::fmt::Write as _;

/// The coordinates of the drawing, whatever its size on the page.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// What a chart is made of.
pub(super) struct Chart<'a> {
    /// What it shows, for those who do not see it.
    pub(super) alternative: &'a str,
    pub(super) scale: Scale,
    pub(super) shapes: Vec<Shape>,
    /// Times from the left edge to the right one.
    pub(super) times: Vec<String>,
}

/// Shapes that look alike.
pub(super) struct Shape {
    class: &'static str,
    path: String,
}

/// From nothing to the highest value, with marks at round numbers.
pub(super) struct Scale {
    top: f64,
    /// Height from 0 to 1, and what stands there.
    marks: Vec<(f64, String)>,
}

impl Scale {
    /// Up to this value; `label` writes the marks.
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

/// Bars, each in its slice of time, between two values.
pub(super) fn bars(
    class: &'static str,
    slices: usize,
    scale: &Scale,
    bars: impl Iterator<Item = (usize, f64, f64)>,
) -> Shape {
    let slot = WIDTH / slices.max(1) as f64;
    let gap = if slices > 60 { 0.12 } else { 0.18 } * slot;
    let mut path = String::new();
    for (at, from, to) in bars.filter(|(_, from, to)| to > from) {
        let (x, low, high) = (at as f64 * slot + gap / 2.0, scale.y(from), scale.y(to));
        // Writing to memory does not fail.
        let _ = write!(path, "M{x:.1} {low:.1}V{:.1}h{:.1}V{low:.1}z", high.min(low - 1.0), slot - gap);
    }
    Shape { class, path }
}

/// A line in steps: each value holds for its slice; where there is none, the line has a gap.
pub(super) fn line(
    class: &'static str,
    slices: usize,
    scale: &Scale,
    points: impl Iterator<Item = (usize, f64)>,
) -> Shape {
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
    Shape { class, path }
}

impl Chart<'_> {
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.plot {
                div.marks aria-hidden="true" {
                    @for (height, label) in &self.scale.marks {
                        span style={ "bottom:" (format!("{:.1}", height * 100.0)) "%" } { (label) }
                    }
                }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(self.alternative) {
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
