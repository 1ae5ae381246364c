import type { ReceivedSpan } from "../../otlp-receiver.ts";

type Condition = (span: ReceivedSpan) => boolean;

const fieldOf = (span: ReceivedSpan, field: string): unknown => {
  if (field === "name") return span.name;
  if (field === "status") return span.isError ? "error" : "ok";
  return span.attributes[field.replace(/^span\./, "")];
};

const condition = (field: string, operator: string, operand: string): Condition => {
  if (operator === ">") return (span) => Number(fieldOf(span, field)) > Number(operand);
  if (operator === "=~") return (span) => new RegExp(`^(?:${operand})$`).test(String(fieldOf(span, field) ?? ""));
  return (span) => String(fieldOf(span, field)) === operand;
};

/** The simple part of TraceQL that the dashboards' tables use: comparisons of attributes. */
const conditionsOf = (query: string): readonly Condition[] => {
  const inside = /^\{(.*?)\}/.exec(query)?.[1] ?? "";
  const comparisons = inside.matchAll(/(?<![:\w.])(span\.[\w.]+|name|status) (=~|=|>) (?:"([^"]*)"|(\w+))/g);
  return [...comparisons].map(([, field = "", operator = "", quoted, plain = ""]) =>
    condition(field, operator, quoted ?? plain),
  );
};

/** Rows as Tempo's table would hold them: the trace, the span, and what is selected. The latest first, one per trace. */
export const rowsOf = (query: string, spans: readonly ReceivedSpan[]): readonly string[] => {
  // A received span does not tell how long it took.
  if (/duration >/.test(query)) return [];
  const conditions = conditionsOf(query);
  const selected = [...(/select\((.*)\)/.exec(query)?.[1] ?? "").matchAll(/span\.[\w.]+/g)].map(([field]) => field);
  const found = spans.filter((span) => conditions.every((holds) => holds(span))).reverse();
  const perTrace = new Map(found.map((span) => [span.traceId, span]));
  return [...perTrace.values()].map((span) => {
    const values = selected.flatMap((field) => fieldOf(span, field) ?? []);
    return [`${span.traceId.slice(0, 8)}…`, span.name, ...values.map(String)].join("  ·  ");
  });
};
