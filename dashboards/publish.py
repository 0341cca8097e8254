"""Pages onto disk: templates filled, plotly.js beside them once, every file replaced whole.

What a page says is decided in `qoe_page` and `progress_page`; this is the only part of `dashboards` that writes.
"""

import base64
import hashlib
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from dashboards import numbers, progress_page, qoe_page, theme
from dashboards.catalogue import METRICS
from dashboards.entries import Entry, entries
from dashboards.metrics_page import metrics_page
from dashboards.progress_report import ProgressReport
from dashboards.qoe_report import ALL_TENANTS, QoeReport

PLOTLY_FILE = "plotly.min.js"
METRICS_FILE = "metrics.html"
_TEMPLATES = Path(__file__).parent / "templates"
_SAFE_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def publish_qoe(directory: Path, report: QoeReport) -> Path:
    """Write `qoe.html` and, once, plotly.js; return the page's path.

    A tenant's page has the tenant's folder to itself, the page over all tenants lies in `directory`.
    """
    page = qoe_page.page(report)
    entry = Entry(report.tenant, "Quality of experience", report.built_at, f"{page.size}, {page.period}")
    return _publish(directory, "qoe.html", page, entry)


def publish_progress(directory: Path, report: ProgressReport) -> Path:
    """Write the tenant's `progress.html` and, once, plotly.js; return the page's path."""
    page = progress_page.page(report)
    entry = Entry(report.tenant, "Watch progress", report.built_at, page.size)
    return _publish(directory, "progress.html", page, entry)


def _publish(directory: Path, name: str, page: object, entry: Entry) -> Path:
    _write_plotly(directory)
    folder, root = (directory, ".") if entry.tenant is None else (directory / tenant_folder(entry.tenant), "..")
    html = _render(
        f"{name}.j2",
        page=page,
        entry=entry,
        root=root,
        metrics=f"{root}/{METRICS_FILE}",
        plotly=f"{root}/{PLOTLY_FILE}",
        dark=theme.DARK_OF,
    )
    return _replace(folder / name, html)


def publish_index(directory: Path) -> Path:
    """Write `<directory>/index.html`, which lists the pages that are there by tenant; return its path."""
    found = entries(directory)
    tenants = [
        {
            "title": theme.plain(tenant or ALL_TENANTS),
            "pages": [_listing(directory, page, entry) for page, entry in found if entry.tenant == tenant],
        }
        for tenant in dict.fromkeys(entry.tenant for _, entry in found)
    ]
    return _replace(directory / "index.html", _render("index.html.j2", tenants=tenants, metrics=METRICS_FILE))


def publish_metrics(directory: Path) -> Path:
    """Write `<directory>/metrics.html`, to which every number's label leads; return its path."""
    return _replace(directory / METRICS_FILE, _render("metrics.html.j2", page=metrics_page()))


def tenant_folder(tenant: str) -> str:
    """Return a folder name for a tenant: its own where that is safe everywhere, else made unique by a hash."""
    if _SAFE_FOLDER.fullmatch(tenant):
        return tenant
    stem = re.sub(r"[^a-z0-9]+", "-", tenant.lower()).strip("-")[:32]
    return f"{stem}.{hashlib.sha256(tenant.encode()).hexdigest()[:12]}"


def figure_json(figure: go.Figure) -> Markup:
    """Return a figure as JSON that may stand in a <script> element: no markup can end it. NaN raises ValueError."""
    return _json(figure.to_plotly_json())


def _json(value: Any) -> Markup:
    return jinja2.utils.htmlsafe_json_dumps(value, allow_nan=False, separators=(",", ":"))


def _listing(directory: Path, page: Path, entry: Entry) -> dict[str, str]:
    return {
        "title": entry.title,
        "href": quote(page.relative_to(directory).as_posix()),
        "detail": f"{entry.summary} · built {numbers.moment(entry.built_at)}",
    }


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure_json": figure_json, "json": _json, "metric_title": lambda name: METRICS[name].title}
    return environment


def _render(template: str, **context: Any) -> str:
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    style = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    context |= {"script": Markup(script), "style": Markup(style), "policy": _policy(script)}  # noqa: S704 - own files
    return _environment().get_template(template).render(**context)


def _policy(script: str) -> str:
    """Only our own script and plotly.js beside the page may run, and nothing may be fetched."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' file: 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _write_plotly(directory: Path) -> None:
    target, script = directory / PLOTLY_FILE, get_plotlyjs()
    if not target.is_file() or target.read_text(encoding="utf-8") != script:
        _replace(target, script)


def _replace(path: Path, text: str) -> Path:
    """Write a whole file beside `path` and rename it there, so that a reader never meets half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        return temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
