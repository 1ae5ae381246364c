// Draws the last hour of a group by uPlot, in the colours of the page.
(() => {
  const holder = document.querySelector("[data-series]");
  if (!(holder instanceof HTMLElement) || typeof uPlot === "undefined") return;
  const { minutes, done, seconds } = JSON.parse(holder.dataset.series);

  const draw = () => {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const plot = (title, values, unit, drawn) => {
      const cell = document.createElement("div");
      holder.append(cell);
      const size = { width: Math.max(200, Math.floor(cell.clientWidth)), height: 190 };
      new uPlot(
        {
          ...size,
          title,
          cursor: { sync: { key: "hour" } },
          scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 0.001)] } },
          axes: [axis, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) }],
          series: [{}, { label: title, stroke: colour("--accent"), width: 2, ...drawn }],
        },
        [minutes, values],
        cell,
      );
    };
    holder.replaceChildren();
    const bars = { fill: colour("--accent"), paths: uPlot.paths.bars({ size: [0.8] }), points: { show: false } };
    plot("done a minute", done, "", bars);
    plot("half within, in seconds", seconds, " s", { points: { show: true, size: 5 }, spanGaps: false });
  };

  draw();
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
