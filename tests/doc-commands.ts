import type { Document } from "./documents.ts";

/** What becomes of a command that a page shows: a test runs it as it stands, or only checks it, for a reason. */
export interface Treatment {
  readonly page: RegExp;
  readonly command: RegExp;
  /** The test that runs it, or one that does the same by other words. */
  readonly runBy?: string;
  /** Why it is not run; what holds its words against the tree is `tests/docs.test.ts`, and `tests/kubernetes/` for manifests. */
  readonly because?: string;
}

const EXAMPLES = "tests/readme.test.ts";
const LONG = "tests/long/doc-commands.test.ts";

/** The first that fits a command counts. */
export const TREATMENTS: readonly Treatment[] = [
  { page: /./, command: /--group audit-log\b/, because: "is of the group that one has just added" },
  { page: /^README\.md$/, command: /^curl/, runBy: EXAMPLES },
  { page: /^docs\/(http|operating|faq)\.md$/, command: /^(curl|href=|bun run ops)/, runBy: EXAMPLES },
  { page: /./, command: /^bun run (chaos|fuzz)\b/, runBy: ".ci/run" },
  { page: /./, command: /^bun run licences\b/, runBy: LONG },
  { page: /./, command: /^bun tests\/run\.ts settings\/load\.test\.ts\b/, runBy: LONG },
  { page: /^docs\/capacity\.md$/, command: /^bun run ops capacity/, runBy: LONG },
  { page: /^docs\/capacity\.md$/, command: /^bun k8s\/generate\.ts .*1s$/, runBy: LONG },
  { page: /^docs\/capacity\.md$/, command: /^bun k8s\/generate\.ts .*--out/, runBy: "tests/kubernetes/size.test.ts" },
  { page: /./, command: /^bun docs\/examples\/typescript/, runBy: EXAMPLES },
  { page: /./, command: /^bun run (start|dev|migrate|api|consumer)\b/, runBy: "local/start.test.ts" },
  { page: /./, command: /^bun run release\b/, runBy: "local/release/release.test.ts" },
  { page: /./, command: /^bun run generate$/, runBy: "tests/long/add-a-group.test.ts" },
  { page: /^docs\/from-celery\.md$/, command: /^bun run ops import/, runBy: "tests/long/celery.test.ts" },
  {
    page: /./,
    command: /^bun (run (test|check|fix)\b|tests\/run\.ts)/,
    because: "a test would run the tests, and within them itself; `.ci/run` runs them in a fresh clone",
  },
  { page: /./, command: /^bun run (bench|screenshots)\b/, because: "takes minutes to an hour, and measures or draws" },
  { page: /./, command: /^bun bench\//, because: "takes minutes, and measures" },
  { page: /./, command: /^bun run audit$/, because: "asks the package registry" },
  {
    page: /./,
    command: /^bun run ops /,
    because:
      "is of a system with a past or a receiver, or runs on docs/operating.md; the command line accepts its words",
  },
  { page: /./, command: /^bun install\b/, because: "fetches packages" },
  { page: /./, command: /^bun k8s\/release\.ts/, because: "names an image of yours; `k8s/release.ts` has tests" },
  {
    page: /./,
    command: /^(curl -s localhost|kubectl|kind|docker|image=|owner=|sed .*kubectl|pg_)/,
    because: "needs a cluster or Docker",
  },
  { page: /./, command: /^(DATABASE_URL=|psql|redis-cli|set -f)/, because: "needs an administrator of your stores" },
  { page: /./, command: /^export /, because: "names hosts and secrets of yours" },
  { page: /^docs\/mail-identity\.md$/, command: /^(openssl|echo)/, because: "makes a key, and prints it for your DNS" },
  {
    page: /^docs\/mail-identity\.md$/,
    command: /^curl/,
    because: "asks a host of yours; `api/bounces/` tests the answer",
  },
];

const PROGRAMS = /^(bun|npx|export|curl|kubectl) /;

/** The commands of a page's shell blocks, each in one line. A block without a language may be output: there only known programs count. */
export const shownCommands = ({ blocks }: Document): readonly string[] =>
  blocks
    .filter(({ language }) => language === "" || language === "sh")
    .flatMap(({ language, text }) =>
      text
        .replaceAll(/\\\n\s*|\|\n\s*/g, " ")
        .split("\n")
        .map((line) => line.replace(/(^|\s+)# .*$/, "").trim())
        .filter((line) => line !== "" && (language === "sh" || PROGRAMS.test(line))),
    );

export const treatmentOf = (page: string, command: string): Treatment | undefined =>
  TREATMENTS.find((each) => each.page.test(page) && each.command.test(command));
