import type { Package } from "./packages.ts";

/** What is described, and by whom. */
export interface SbomOptions {
  readonly name: string;
  readonly version: string;
  /** Of Bun, which the image holds, too. */
  readonly bunVersion: string;
  readonly licence: string;
  readonly serialNumber: string;
  readonly createdAt: Date;
}

/** `@a/b`, `1.0.0` -> `pkg:npm/%40a/b@1.0.0` (https://github.com/package-url/purl-spec) */
const purlOf = ({ name, version }: Pick<Package, "name" | "version">): string =>
  `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;

/** Packages at several places can be one version: where it is makes it unique. */
const refOf = (path: string): string => `npm:${path}`;

/** `sha512-<base64>` -> the algorithm by its name in CycloneDX, and hex. */
const hashOf = (integrity: string): { readonly alg: string; readonly content: string } => {
  const [algorithm = "", digest = ""] = integrity.split(/-(.*)/s);
  return { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") };
};

const componentOf = (each: Package) => {
  const scope = each.name.startsWith("@") ? each.name.split("/")[0] : undefined;
  const expression = each.licence?.includes(" ") === true;
  const licences =
    each.licence === undefined ? [] : [expression ? { expression: each.licence } : { license: { id: each.licence } }];
  return {
    type: "library",
    "bom-ref": refOf(each.path.join("/")),
    ...(scope === undefined ? {} : { group: scope }),
    name: scope === undefined ? each.name : each.name.slice(scope.length + 1),
    version: each.version,
    scope: each.isProduction ? "required" : "excluded",
    hashes: [hashOf(each.integrity)],
    ...(licences.length === 0 ? {} : { licenses: licences }),
    purl: purlOf(each),
  };
};

/**
 * A software bill of materials as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): the packages given, what each depends
 * on, and Bun. Pure: the same lock file, id and time give the same document.
 */
export const sbomOf = (packages: readonly Package[], options: SbomOptions): Readonly<Record<string, unknown>> => {
  const { name, version, bunVersion, licence, serialNumber, createdAt } = options;
  const listed = new Set(packages.map(({ path }) => path.join("/")));
  const direct = packages.filter(({ isDirect }) => isDirect).map(({ path }) => refOf(path.join("/")));
  const own = `${name}@${version}`;
  const bun = `bun@${bunVersion}`;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${serialNumber}`,
    version: 1,
    metadata: {
      timestamp: createdAt.toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { type: "application", "bom-ref": own, name, version, licenses: [{ license: { id: licence } }] },
    },
    components: [
      { type: "platform", "bom-ref": bun, name: "bun", version: bunVersion, purl: `pkg:npm/bun@${bunVersion}` },
      ...packages.map(componentOf),
    ],
    dependencies: [
      { ref: own, dependsOn: [bun, ...direct] },
      ...packages.map(({ path, dependencies }) => ({
        ref: refOf(path.join("/")),
        dependsOn: dependencies.filter((each) => listed.has(each)).map(refOf),
      })),
    ],
  };
};
