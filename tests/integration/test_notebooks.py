"""Notebooks run from the first cell to the last, on any tenant's data and on none."""

import os
from pathlib import Path

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

from tests.unit import progress_pages
from tests.unit.demo_sessions import demo_core
from tests.unit.live_frames import DAY, chat_frame, viewers_frame
from tests.unit.report_pages import BAD_RELEASE, DIMENSIONS, sessions, unmeasured
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, RAW_SESSIONS
from warehouse.datasets.live import OUT_CHAT_MINUTE, OUT_MOMENTS
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY
from warehouse.lake import Lake
from warehouse.metrics import histogram, live_bins, moment_rows, progress_daily, qoe
from warehouse.metrics.chat import minutes as minutes_of

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PLOTLY = "application/vnd.plotly.v1+json"


def live_tables(tenant: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The minutes and moments of a quarter of an hour with a burst."""
    times = [n * 0.5 for n in range(1_800)] + [720 + n * 0.05 for n in range(600)]
    chat = chat_frame({"s": s, "tenant": tenant, "emotes": ["Kappa"], "sentiment": 0.5} for s in times)
    viewers = viewers_frame({"s": s, "tenant": tenant, "viewer_count": 100} for s in range(0, 900, 10))
    moments, scores = moment_rows.detect(live_bins.bins(chat, viewers), DAY)
    return minutes_of(chat, viewers, scores), moments


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    dimensions = "\n".join(f'{column} = "{source}"' for column, source in DIMENSIONS.items())
    (home / "playhead.toml").write_text(f"[dimensions]\n{dimensions}\n", encoding="utf-8")
    tenants = {"bad": sessions(), "unmeasured": unmeasured(), "few": sessions(12), "demo": demo_core(3, DIMENSIONS)}
    core = pl.concat([frame.with_columns(tenant=pl.lit(tenant)) for tenant, frame in tenants.items()])
    raw = core.filter(pl.col("tenant") == "bad").select(
        pl.col(name) if name in core.columns else pl.lit(None).alias(name) for name in RAW_SESSIONS.columns
    )
    raw = raw.with_columns(payload=pl.lit('{"sessionId": "s", "errorCount": 1}')).cast(RAW_SESSIONS.schema())
    lake = Lake(str(home / "lake"), DIMENSIONS)
    watches = {"steady": progress_pages.watches(), "new": progress_pages.watches(20), "more": progress_pages.more()}
    watched = pl.concat(
        [progress_pages.placed(rows).with_columns(tenant=pl.lit(tenant)) for tenant, rows in watches.items()]
    )
    minutes, moments = live_tables("demo")
    tables = (
        (OUT_CHAT_MINUTE, minutes),
        (OUT_MOMENTS, moments),
        (CORE_WATCHES, watched),
        (OUT_PROGRESS_DAILY, progress_daily.aggregate(watched)),
        (CORE_SESSIONS, core),
        (RAW_SESSIONS, raw),
        (OUT_QOE_DAILY, qoe.aggregate(core, DIMENSIONS)),
        (OUT_QOE_HISTOGRAM_DAILY, histogram.aggregate(core, DIMENSIONS)),
    )
    for dataset, frame in tables:
        lake.replace_days(dataset, frame, frame["day"].unique().to_list())
    return home


def execute(path: Path, home: Path, tenant: str, **variables: str) -> tuple[str, int]:
    """Return what the notebook said, and how many figures it drew."""
    notebook = nbformat.read(path, as_version=4)
    inherited = {name: value for name, value in os.environ.items() if name not in {"LAKE_URL", "PLOTLY_RENDERER"}}
    environ = inherited | {"PLAYHEAD_HOME": str(home), "PLAYHEAD_TENANT": tenant} | variables
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=environ, cwd=str(path.parent))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == [], "nothing warns a reader"
    shown = [output.get("data", {}) for output in outputs]
    return "\n".join(data.get("text/markdown", "") for data in shown), sum(PLOTLY in data for data in shown)


@pytest.mark.parametrize(
    ("tenant", "answer", "figures"),
    [
        ("bad", f"**Worse than the rest: {BAD_RELEASE} (App version)", True),
        ("unmeasured", "**No group stands out.**", False),
        ("few", "**Too few sessions to tell.**", False),
        ("nobody", "No sessions, no answer.", False),
    ],
)
def test_the_qoe_overview_answers_from_the_data(home: Path, tenant: str, answer: str, figures: bool) -> None:
    said, drawn = execute(NOTEBOOKS / "01_qoe_overview.ipynb", home, tenant)
    assert answer in said
    assert bool(drawn) == figures


@pytest.mark.parametrize(
    ("tenant", "answer"),
    [
        ("bad", "of App version 2.0.0** is made by"),
        ("unmeasured", "of all sessions** is made by"),
        ("few", "of all sessions** is made by"),
        ("nobody", "No sessions, no answer."),
    ],
)
def test_the_drill_down_ends_at_a_payload(home: Path, tenant: str, answer: str) -> None:
    said, _ = execute(NOTEBOOKS / "04_session_drilldown.ipynb", home, tenant)
    assert answer in said
    assert ("Its payload has 2 fields" in said) == (tenant == "bad")


@pytest.mark.parametrize(
    ("tenant", "answer", "figures"),
    [
        ("steady", "**No, as far as 24 weeks can tell.**", 3),
        ("more", "Most of it by Dark: ", 3),
        ("new", "**Too early to tell.**", 3),
        ("nobody", "Nothing watched, no answer.", 0),
    ],
)
def test_the_watch_progress_answers_from_the_data(home: Path, tenant: str, answer: str, figures: int) -> None:
    clock = progress_pages.NOW.isoformat()
    said, drawn = execute(NOTEBOOKS / "02_watch_progress.ipynb", home, tenant, PLAYHEAD_NOW=clock)
    assert answer in said
    assert drawn == figures


@pytest.mark.parametrize(("tenant", "answer", "figures"), [("demo", "chat_spike", 3), ("nobody", "no answer", 0)])
def test_the_live_moments_are_told(home: Path, tenant: str, answer: str, figures: int) -> None:
    said, drawn = execute(NOTEBOOKS / "05_live_moments.ipynb", home, tenant)
    assert ("Chat rose" if answer == "chat_spike" else answer) in said
    assert drawn == figures


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_clean(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.cells[0].source.splitlines()[0].endswith("?")
    assert "does not show" in notebook.cells[-1].source.splitlines()[0]
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
