import { join } from "node:path";
import description from "../../package.json" with { type: "json" };
import { EXIT } from "../../runtime/process.ts";
import { type Advisory, readAudit, seriousOf } from "./audit.ts";
import { licenceFaults } from "./licences.ts";
import { type Package, readPackages } from "./packages.ts";
import { sbomOf } from "./sbom.ts";

const USAGE = `bun run sbom|licences|audit: what this system is made of

  bun run --silent sbom          prints a software bill of materials of the image (CycloneDX 1.6, JSON)
  bun run --silent sbom --dev    the same with what developers need, as "excluded"
  bun run licences               lists licences, and fails on one that is not allowed
  bun run audit                  asks the registry for known weaknesses; fails on a high or critical one in what the
                                 image holds. A registry that cannot be asked is no failure, and is said`;

const WRONG_USAGE = 2;
const AUDIT_TIMEOUT_MS = 60_000;
const root = join(import.meta.dir, "..", "..");

const printSbom = (packages: readonly Package[], withDevelopment: boolean): number => {
  const document = sbomOf(
    packages.filter(({ isProduction }) => isProduction || withDevelopment),
    {
      name: description.name,
      version: description.version,
      licence: description.license,
      bunVersion: description.packageManager.replace("bun@", ""),
      serialNumber: crypto.randomUUID(),
      createdAt: new Date(),
    },
  );
  console.log(JSON.stringify(document, undefined, 2));
  return EXIT.stopped;
};

const printLicences = (packages: readonly Package[]): number => {
  const byLicence = Map.groupBy(packages, ({ licence }) => licence ?? "of other platforms, not installed here");
  for (const [licence, of] of [...byLicence].toSorted(([, a], [, b]) => b.length - a.length)) {
    console.log(`${String(of.length).padStart(4)}  ${licence}`);
  }
  const faults = licenceFaults(packages);
  for (const fault of faults) console.error(`not allowed: ${fault}`);
  return faults.length === 0 ? EXIT.stopped : EXIT.failed;
};

const lineOf = ({ name, severity, title, url }: Advisory): string => `${severity.padEnd(9)} ${name}: ${title} ${url}`;

const audit = async (packages: readonly Package[]): Promise<number> => {
  const asked = Bun.spawn([process.execPath, "audit", "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: AUDIT_TIMEOUT_MS,
  });
  const [stdout, stderr] = await Promise.all([new Response(asked.stdout).text(), new Response(asked.stderr).text()]);
  const result = readAudit(stdout, stderr);
  if (result.kind === "unavailable") {
    console.log(`not audited: ${result.reason}`);
    return EXIT.stopped;
  }
  const production = new Set(packages.filter(({ isProduction }) => isProduction).map(({ name }) => name));
  const serious = seriousOf(result.advisories, production);
  for (const advisory of result.advisories) console.log(lineOf(advisory));
  console.log(`${packages.length} packages, ${result.advisories.length} advisories, ${serious.length} to be answered`);
  return serious.length === 0 ? EXIT.stopped : EXIT.failed;
};

const main = async ([command, ...options]: readonly string[]): Promise<number> => {
  const packages = readPackages(root);
  const isKnownOption = options.length === 0 || (command === "sbom" && options.length === 1 && options[0] === "--dev");
  if (command === "sbom" && isKnownOption) return printSbom(packages, options.length > 0);
  if (command === "licences" && isKnownOption) return printLicences(packages);
  if (command === "audit" && isKnownOption) return audit(packages);
  console[command === "--help" ? "log" : "error"](USAGE);
  return command === "--help" ? EXIT.stopped : WRONG_USAGE;
};

process.exit(await main(process.argv.slice(2)));
