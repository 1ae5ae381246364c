import { z } from "zod";

/** One known weakness of a package. */
export interface Advisory {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
}

export type AuditResult =
  | { readonly kind: "audited"; readonly advisories: readonly Advisory[] }
  /** Nothing is known: the registry does not answer, or has no audits. */
  | { readonly kind: "unavailable"; readonly reason: string };

const report = z.record(
  z.string(),
  z.array(z.looseObject({ severity: z.string(), title: z.string(), url: z.string().default("") })),
);

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What `bun audit --json` said: an object of advisories by package, or words about why there is none. Pure. */
export const readAudit = (stdout: string, stderr: string): AuditResult => {
  const parsed = report.safeParse(parseJson(stdout));
  if (!parsed.success) {
    const [reason = ""] = `${stderr}\n${stdout}`
      .split("\n")
      .filter((line) => /\S/.test(line) && !/^bun audit/.test(line));
    return { kind: "unavailable", reason: reason.trim() || "it said nothing" };
  }
  const advisories = Object.entries(parsed.data).flatMap(([name, list]) =>
    list.map(({ severity, title, url }) => ({ name, severity, title, url })),
  );
  return { kind: "audited", advisories };
};

const SERIOUS = new Set(["high", "critical"]);

/** Advisories that must be answered before a release: serious ones, of what the image holds. Pure. */
export const seriousOf = (advisories: readonly Advisory[], production: ReadonlySet<string>): readonly Advisory[] =>
  advisories.filter(({ name, severity }) => SERIOUS.has(severity) && production.has(name));
