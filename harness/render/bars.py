"""One bar of latency as inline SVG: p99 light, p95 dark (red where it is over), p50 a mark, the objective a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report import OperationLatency

WIDTH, HEIGHT = 300, 24
OVER_OBJECTIVE = 3.0


def scale_ms(latencies: Sequence[OperationLatency]) -> float:
    """The latency at a bar's full width: the highest p99, yet no more than three objectives, so bars stay apart."""
    highest = max((item.p99_ms or 0.0 for item in latencies), default=0.0)
    objectives = [item.objective_p95_ms for item in latencies if item.objective_p95_ms]
    if not objectives:
        return max(1.0, highest * 1.05)
    return max(1.0, max(objectives) * 1.25, min(highest * 1.05, max(objectives) * OVER_OBJECTIVE))


def bar(item: OperationLatency, scale: float) -> Markup:
    """The bar of one operation; a sentence where nothing was served."""
    if item.p50_ms is None or item.p95_ms is None or item.p99_ms is None:
        return Markup("") if item.reason else Markup('<span class="soft small">nothing was served</span>')
    objective = item.objective_p95_ms
    over = objective is not None and item.p95_ms > objective
    label = f"p50 {item.p50_ms:.1f}, p95 {item.p95_ms:.1f}, p99 {item.p99_ms:.1f} ms"
    if objective is not None:
        label += f"; objective {objective:g} ms"
    line = Markup("")
    if objective is not None:
        line = Markup('<line class="objective" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(
            _x(objective, scale), HEIGHT
        )
    return Markup(
        '<svg class="bar" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<rect class="back" width="{w}" height="{h}"/><rect class="p99" y="5" width="{p99}" height="14"/>'
        '<rect class="{tone}" y="5" width="{p95}" height="14"/>'
        '<rect class="p50" x="{p50}" y="5" width="2" height="14"/>{line}</svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        label=label,
        p99=_x(item.p99_ms, scale),
        p95=_x(item.p95_ms, scale),
        p50=max(0.0, _x(item.p50_ms, scale) - 1),
        tone="over" if over else "p95",
        line=line,
    )


def _x(value_ms: float, scale: float) -> float:
    return round(min(value_ms / scale, 1.0) * WIDTH, 1)
