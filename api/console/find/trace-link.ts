/** Where Grafana shows a trace: Explore, on the data source of traces with the uid `tempo`. */
export const traceHref = (grafanaUrl: string, traceId: string): string => {
  const pane = {
    datasource: "tempo",
    queries: [{ refId: "A", datasource: { type: "tempo", uid: "tempo" }, queryType: "traceql", query: traceId }],
    range: { from: "now-7d", to: "now" },
  };
  const url = new URL(`${grafanaUrl.replace(/\/$/, "")}/explore`);
  url.searchParams.set("schemaVersion", "1");
  url.searchParams.set("panes", JSON.stringify({ trace: pane }));
  return url.href;
};
