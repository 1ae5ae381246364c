import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../../runtime/process.ts";
import { release } from "./release.ts";

const USAGE = `bun run release patch|minor|major|X.Y.Z [--dry-run]: releases a version.

Moves the unreleased part of CHANGELOG.md under the version, writes it to package.json, commits "Release X.Y.Z" and
tags vX.Y.Z. Refuses when something is not committed or \`bun run check\` fails. Nothing is pushed.

  --dry-run   say what would be done, and change nothing
  --help      this text`;

const WRONG_USAGE = 2;

const main = (): number => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const [asked] = positionals;
    if (values.help || asked === undefined || positionals.length > 1) {
      console[values.help ? "log" : "error"](USAGE);
      return values.help ? EXIT.stopped : WRONG_USAGE;
    }
    release({
      root: join(import.meta.dir, "..", ".."),
      asked,
      date: new Date().toISOString().slice(0, 10),
      dryRun: values["dry-run"],
      print: console.log,
    });
    return EXIT.stopped;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // `parseArgs` reports wrong usage by an error code.
    if ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) {
      console.error(`${error.message}\n\n${USAGE}`);
      return WRONG_USAGE;
    }
    const isRefusal = ["NotReleasable", "BadVersion", "BadChangelog"].includes(error.name);
    console.error(isRefusal ? error.message : error);
    return EXIT.failed;
  }
};

process.exit(main());
