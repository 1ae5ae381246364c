// Draws the last hour of a group by uPlot, in the colours of the page.
(() => {
  const holder = document.querySelector("[data-series]");
  if (!(holder instanceof HTMLElement) || typeof uPlot === "undefined") return;
  const { minutes, done, seconds } = JSON.parse(holder.dataset.series);

  const draw = () => {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const clock = (seconds) => new Date(seconds * 1_000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const plot = (cell, title, values, unit, drawn) => {
      const size = { width: Math.max(200, Math.floor(cell.clientWidth)), height: 190 };
      new uPlot(
        {
          ...size,
          title,
          cursor: { sync: { key: "hour" } },
          scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 0.001)] } },
          axes: [
            { ...axis, values: (_, ticks) => ticks.map(clock) },
            { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) },
          ],
          series: [{}, { label: title, stroke: colour("--accent"), width: 2, ...drawn }],
        },
        [minutes, values],
        cell,
      );
    };
    // Both before the first is measured: they share the width.
    const [left, right] = [document.createElement("div"), document.createElement("div")];
    holder.replaceChildren(left, right);
    const bars = { fill: colour("--accent"), paths: uPlot.paths.bars({ size: [0.8] }), points: { show: false } };
    plot(left, "done a minute", done, "", bars);
    plot(right, "half within, in seconds", seconds, " s", { points: { show: true, size: 5 }, spanGaps: false });
  };

  draw();
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
