"""The picture of docs/sending.md: the chart of the page of one run through several spells, as a file of its own."""

import math
import re
from dataclasses import dataclass

import goodput
import spells
from measuring import Failed, once
from sending import finished

WIDTH, HEIGHT = 880, 268
LEFT, TOP, RIGHT, BOTTOM = 44, 58, 12, 34  # around the chart
DAY = 86_400
RULES = [
    "text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; fill: var(--soft); }",
    ".title { fill: var(--text); font-weight: 600; } .paper { fill: var(--paper); } .phase { fill: var(--panel); }",
]


def picture(bench):
    """Writes docs/rate.svg; the row of the table is what the run came to."""
    work, spell = bench.emptied("picture"), spells.BAD_MINUTES
    run = goodput.one(bench, spell, bench.exports("few"), work, goodput.PORT)
    results, page = work / f"{goodput.PORT}.csv", work / "page.html"
    once([bench.binary, "report", results, "--output", page])
    began = finished(results)[0] - spell.latency
    (bench.here.parent.parent / "docs/rate.svg").write_text(drawn(chart_of(page.read_text()), spell, began))
    return {"title": "The picture", "columns": goodput.COLUMNS, "lines": [goodput.line(spell, run)], "raw": run}


@dataclass
class Chart:
    """The chart "Visits finished" of a page, and what stands around it as text of the page."""

    title: str
    box: str
    shapes: str
    marks: list  # height in percent, text
    times: list
    style: str


def chart_of(page):
    figure = part(r"<figure>(?:(?!</figure>).)*?(<h3>Visits finished.*?)</figure>", page, "chart")
    return Chart(
        title=part(r"<h3>(.*?)</h3>", figure, "title"),
        box=part(r'<svg viewBox="([^"]*)"', figure, "drawing"),
        shapes=part(r"<svg[^>]*>(.*?)</svg>", figure, "drawing"),
        marks=re.findall(r'bottom:([\d.]+)%"\s*>([^<]*)<', figure),
        times=re.findall(r"<span>(.*?)</span>", part(r'<div class="times"[^>]*>(.*?)</div>', figure, "times")),
        style=part(r"<style>(.*?)</style>", page, "style"),
    )


def drawn(chart, spell, began):
    """The chart with the phases of the spell behind it, in the colours of the page."""
    rules = re.findall(r"^(?:\.plot path|\.grid|\.bar\.\w+) \{[^\n]*\}", chart.style, re.M) + RULES
    light, dark = (colours(chart.style, root, "".join(rules)) for root in (r"^:root", r"dark\) \{\s*:root"))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{chart.title}">',
        "<style>",
        f":root {{ {light} }}",
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}",
        *rules,
        "</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="title" x="{LEFT}" y="22">{chart.title}</text>',
    ]
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    first, last = seconds(chart.times[0]), seconds(chart.times[-1])
    at = lambda second: LEFT + wide * ((began - first + second) % DAY) / ((last - first) % DAY)
    for phase in spell.phases:
        x, width = at(phase.start), at(phase.end) - at(phase.start)
        out.append(f'<rect class="phase" x="{x:.1f}" y="{TOP - 20}" width="{width:.1f}" height="{high + 20}"/>')
        out.append(text(x + width / 2, TOP - 6, "middle", label(phase)))
    out.append(f'<svg x="{LEFT}" y="{TOP}" width="{wide}" height="{high}" viewBox="{chart.box}" preserveAspectRatio="none">')
    out.append(f'<g class="plot">{chart.shapes}</g></svg>')
    out += [text(LEFT - 8, TOP + high * (1 - float(height) / 100) + 4, "end", mark) for height, mark in chart.marks]
    for number, time in enumerate(chart.times):
        anchor = {0: "start", len(chart.times) - 1: "end"}.get(number, "middle")
        out.append(text(LEFT + wide * number / (len(chart.times) - 1), HEIGHT - BOTTOM + 20, anchor, time))
    return "\n".join([*out, "</svg>"]) + "\n"


def text(x, y, anchor, words):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def seconds(clock):
    """Of a day, of a time as the page writes it."""
    return sum(float(part) * unit for part, unit in zip(clock.split(":"), (3600, 60, 1)))


def colours(style, name, rules):
    """Those of the page that the picture uses, as one line."""
    found = re.findall(r"(--[\w-]+): ([^;]+);", part(name + r" \{(.*?)\}", style, "colours"))
    return " ".join(f"{name}: {value};" for name, value in found if f"var({name})" in rules)


def label(phase):
    if phase.per_second == 0:
        return f"all {phase.status}"
    return f"{phase.per_second:g}/s allowed" if phase.per_second < math.inf else f"{phase.at_once:g} connections"


def part(pattern, text, name):
    found = re.search(pattern, text, re.S | re.M)
    if not found:
        raise Failed(f"the page has no {name} as it was when picture.py was written")
    return found[1]
