"""The lines that end a sync: titles, today, the week, totals."""

from playhead.syncing.summary import lines

PROGRESS = {
    "total_hours_watched": 1_234,
    "episodes_watched_today": 1,
    "movies_watched_today": 0,
    "youtube_videos_watched_today": 2,
    "spotify_episodes_watched_today": 0,
    "days_since_first_episode": 400,
    "weekly_trend_percentage": -33.4,
    "daily_activity": [{"days_ago": n, "minutes_watched": (7 - n) * 20} for n in range(6, -1, -1)],
    "shows": [{"name": "ハイキュー!!", "episodes_watched": 12}, {"name": None, "episodes_watched": 1}],
    "youtube_channels": [{"channel_name": "[Kanal]", "videos_watched": 1}],
    "spotify_shows": [],
    "movies": [{"movie_id": "suzume", "name": None}],
}


def test_lines_of_a_history() -> None:
    assert lines(PROGRESS) == [
        "",
        "12 episodes of ハイキュー!!",
        "1 episode of titles without a name yet",
        "1 video of [Kanal]",
        "suzume",
        "",
        "Today: 1 episode, 2 YouTube videos.",
        "6 days ago │████                               20 m",
        "5 days ago │████████                           40 m",
        "4 days ago │████████████                   1 h  0 m",
        "3 days ago │█████████████████              1 h 20 m",
        "2 days ago │█████████████████████          1 h 40 m",
        "Yesterday  │█████████████████████████      2 h  0 m",
        "Today      │██████████████████████████████ 2 h 20 m",
        "1,234 hours in all over 400 days.",
        "The last week: -33 % against the average week.",
    ]


def test_lines_before_any_data() -> None:
    nothing = {
        name: ([] if isinstance(value, list) else None if name.endswith("percentage") else 0)
        for name, value in PROGRESS.items()
    }
    assert lines(nothing) == ["", "Today: nothing yet.", "0 hours in all."]
