"""How every figure looks: one palette for light and one for dark, one Plotly template, labels safe to draw.

Figures are built in the light palette; `DARK_OF` maps each of its colours to the one a dark page puts in its place.
What a figure shows is decided in `dashboards.figures`.
"""

import html
import unicodedata
from dataclasses import asdict, dataclass

import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
LABEL_LENGTH = 26


@dataclass(frozen=True)
class Palette:
    """Colours by role. The data colours follow Okabe and Ito and stay apart for colour-blind readers.

    From `grid`, which stands for nothing, `faint`, `mild`, `main` and `strong` step up, each further from the surface.
    """

    ink: str
    muted: str
    grid: str
    surface: str
    main: str
    band: str
    alert: str
    alert_band: str
    exit: str
    playback: str
    faint: str
    mild: str
    strong: str


LIGHT = Palette(
    ink="#1b2430",
    muted="#56616f",
    grid="#e4e8ed",
    surface="#ffffff",
    main="#0069a8",
    band="rgba(0,105,168,0.16)",
    alert="#c8500a",
    alert_band="rgba(200,80,10,0.16)",
    exit="#d99a00",
    playback="#a8427f",
    faint="#b9d7ea",
    mild="#6aaad4",
    strong="#003a5e",
)
DARK = Palette(
    ink="#e8ecf1",
    muted="#a3aebb",
    grid="#2c3540",
    surface="#171d24",
    main="#5db3ee",
    band="rgba(93,179,238,0.22)",
    alert="#ff9052",
    alert_band="rgba(255,144,82,0.22)",
    exit="#f2be3c",
    playback="#e58bc0",
    faint="#1c5074",
    mild="#3580b5",
    strong="#c9e8ff",
)
DARK_OF = dict(zip(asdict(LIGHT).values(), asdict(DARK).values(), strict=True))

_AXIS = {
    "gridcolor": LIGHT.grid,
    "linecolor": LIGHT.grid,
    "zerolinecolor": LIGHT.grid,
    "tickfont": {"color": LIGHT.muted, "size": 12},
    "title": {"font": {"color": LIGHT.muted, "size": 12}, "standoff": 8},
    "ticks": "outside",
    "ticklen": 6,
    "tickcolor": "rgba(0,0,0,0)",
    "automargin": True,
    "fixedrange": True,
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": LIGHT.ink},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": [LIGHT.main, LIGHT.alert, LIGHT.exit, LIGHT.playback],
        "margin": {"l": 8, "r": 16, "t": 12, "b": 8},
        "hoverlabel": {
            "bgcolor": LIGHT.surface,
            "bordercolor": LIGHT.grid,
            "font": {"family": FONT, "size": 13, "color": LIGHT.ink},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "xref": "container",
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "dragmode": False,
        "showlegend": False,
        "xaxis": _AXIS | {"tickangle": 0},
        "yaxis": _AXIS,
    }
)


def figure(*, height: int) -> go.Figure:
    """Return an empty figure in this theme, as wide as its container and `height` pixels high."""
    return go.Figure(layout={"template": TEMPLATE, "height": height, "autosize": True})


def label(text: str | None, length: int = LABEL_LENGTH) -> str:
    """Return a sender's text as Plotly can draw it: on one line, shortened in the middle, markup escaped.

    Plotly reads tags in labels, and control or direction characters could disguise one text as another.
    """
    if text is None:
        return "not sent"
    return html.escape(plain(text, length), quote=False)


def plain(text: str, length: int | None = None) -> str:
    """Return a sender's text without control and direction characters, shortened in the middle to `length`."""
    clean = "".join("�" if unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} else c for c in text)
    if not clean.strip():
        return "(blank)"
    if length is None or len(clean) <= length:
        return clean
    tail = (length - 1) // 3
    return f"{clean[: length - 1 - tail]}…{clean[-tail:]}"
