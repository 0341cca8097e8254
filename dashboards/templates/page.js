// Draws every figure that is shown, one after another so that the page stays responsive, in the reader's colours; shows
// and copies the line that asks for the sessions behind a number.
(() => {
  "use strict";
  const darkColours = JSON.parse(document.getElementById("dark-colours").textContent);
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false };
  const places = [...document.querySelectorAll("[data-figure]")];

  const repaint = (value) => {
    if (typeof value === "string") return Object.hasOwn(darkColours, value) ? darkColours[value] : value;
    if (Array.isArray(value)) return value.map(repaint);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, repaint(inner)]));
  };

  const draw = (place, dark) => {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const { data, layout } = dark ? repaint(figure) : figure;
    return Plotly.react(place, data, layout, config);
  };

  const shown = () => places.filter((place) => !place.closest("[hidden]")); // a hidden one has no width to fill

  let round = 0;
  const drawAll = async (dark) => {
    const mine = ++round;
    delete document.documentElement.dataset.drawn;
    for (const place of shown()) {
      await new Promise((next) => setTimeout(next));
      if (mine !== round) return;
      await draw(place, dark);
    }
    document.documentElement.dataset.drawn = dark ? "dark" : "light";
  };

  const show = async (button) => {
    const place = button.closest("details, section").querySelector("output.line");
    place.textContent = button.dataset.line;
    window.getSelection().selectAllChildren(place);
    place.scrollIntoView({ block: "nearest" });
    try {
      await navigator.clipboard.writeText(button.dataset.line);
      place.dataset.copied = "Copied";
    } catch {
      place.dataset.copied = "Copy this";
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-line]");
    if (button) show(button);
  });

  const chooser = document.getElementById("chooser");
  const choose = (anchor) => {
    for (const choice of document.querySelectorAll(".choice")) choice.hidden = choice.id !== anchor;
  };
  if (chooser) {
    choose(chooser.value);
    chooser.addEventListener("change", () => { choose(chooser.value); drawAll(prefersDark.matches); });
  }

  prefersDark.addEventListener("change", (event) => drawAll(event.matches));
  window.addEventListener("beforeprint", () => { round += 1; shown().forEach((place) => draw(place, false)); });
  window.addEventListener("afterprint", () => drawAll(prefersDark.matches));
  drawAll(prefersDark.matches);
})();
