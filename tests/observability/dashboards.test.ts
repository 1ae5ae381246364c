import { describe, expect, test } from "bun:test";
import { WIDTH } from "../../observability/dashboards/panels.ts";
import { attributesOf, dashboards, type Panel, traceQlOfDashboards } from "./queries.ts";

const all = dashboards();
const uids = all.map(({ uid }) => uid);
const questions = (panels: readonly Panel[]) => panels.filter(({ type }) => type !== "row");

const overlap = (one: Panel, other: Panel): boolean => {
  const [a, b] = [one.gridPos, other.gridPos];
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
};

describe("dashboards", () => {
  test("give each panel a description, a unit, a place of its own and an id of its own", () => {
    for (const { title, panels } of all) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const panel of questions(panels)) {
        const where = `${title}: ${panel.title}`;
        expect([where, (panel.description ?? "").length > 20]).toEqual([where, true]);
        expect([where, panel.gridPos.x + panel.gridPos.w <= WIDTH]).toEqual([where, true]);
        const hasUnit = panel.fieldConfig?.defaults.unit !== undefined;
        expect([where, hasUnit || panel.datasource?.type === "tempo"]).toEqual([where, true]);
      }
      const clashes = panels.filter((one) => panels.some((other) => other.id > one.id && overlap(one, other)));
      expect(clashes.map((panel) => panel.title)).toEqual([]);
    }
  });

  test("choose their data sources by variables, and link to each other and to traces", () => {
    for (const { uid, panels, links, templating } of all) {
      const variables = templating.list.map(({ name }) => name);
      for (const panel of questions(panels)) {
        expect(variables.map((name) => `\${${name}}`)).toContain(panel.datasource?.uid ?? "");
        if (panel.type === "table") expect(panel.fieldConfig?.defaults.links?.length).toBeGreaterThan(0);
      }
      expect(links.map(({ url }) => url).sort()).toEqual(
        uids
          .filter((other) => other !== uid)
          .map((other) => `/d/${other}`)
          .sort(),
      );
      const named = [...JSON.stringify(panels).matchAll(/\/d\/([\w-]+)/g)].map(([, name]) => name);
      for (const name of named) expect(uids).toContain(name ?? "");
    }
  });

  test("query Tempo in valid TraceQL", () => {
    expect(traceQlOfDashboards().length).toBeGreaterThan(10);
    for (const query of traceQlOfDashboards()) expect(() => attributesOf(query)).not.toThrow();
    for (const wrong of ["{ duration > }", '{ name == "a" }', "{ span.a = 1 } | nonsense()"]) {
      expect(() => attributesOf(wrong)).toThrow();
    }
  });
});
