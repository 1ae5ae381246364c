import { existsSync } from "node:fs";

/** The test files that need a browser. */
const BROWSER_TESTS = [
  "tests/signup-page.test.ts",
  "tests/console.test.ts",
  "tests/long/console-incident.test.ts",
  "tests/long/console-pages.test.ts",
  "tests/long/signup-by-keyboard.test.ts",
];

const INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
/** Without the windows, tabs and menus that nobody sees, it takes half of the processor's time. Not every release of Debian has it. */
const SHELL = "chromium-headless-shell";
const INSTALL_ELSEWHERE = process.platform === "darwin" ? "brew install --cask chromium" : "dnf install chromium";
const NAMES = [SHELL, "chromium", "chromium-browser", "google-chrome"];
/** Where macOS has them: on no PATH. */
const APPLICATIONS = ["Chromium", "Google Chrome"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

const isRoot = (): boolean => process.getuid?.() === 0;

/** A Chromium on PATH, or where the system has its applications. */
export const findChromium = (): string | undefined =>
  NAMES.map((name) => Bun.which(name)).find((command) => command !== null) ?? APPLICATIONS.find(existsSync);

/** What helps where there is none: the exact command. */
export const chromiumAdvice = (): string =>
  `The tests of the pages need Chromium, and there is none. Run: ${
    Bun.which("apt-get") === null
      ? INSTALL_ELSEWHERE
      : [...(isRoot() ? [] : ["sudo"]), ...INSTALL, "chromium"].join(" ")
  }`;

/** Whether `bun test` with these arguments runs a test with a browser: what is no flag is a part of a path. */
const includesBrowser = (args: readonly string[]): boolean => {
  const filters = args.filter((arg) => !arg.startsWith("-"));
  return (
    filters.length === 0 ||
    filters.some((filter) => BROWSER_TESTS.some((file) => file.includes(filter.replace(/^\.\//, ""))))
  );
};

const run = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  }).success;

/** Root, or who may become root without a password. */
const asRoot = (): readonly string[] | undefined => {
  if (isRoot()) return [];
  const mayBe = Bun.which("sudo") !== null && Bun.spawnSync(["sudo", "-n", "true"]).success;
  return mayBe ? ["sudo", "-n"] : undefined;
};

/**
 * Installs Debian's Chromium where the tests that are to run need one, there is none, and no password is asked for.
 * Returns whether there is what they need; if not, it has said the exact command to run.
 */
export const provideChromium = (testArgs: readonly string[]): boolean => {
  if (!includesBrowser(testArgs) || findChromium() !== undefined) return true;
  const prefix = Bun.which("apt-get") === null ? undefined : asRoot();
  if (prefix === undefined) {
    console.error(chromiumAdvice());
    return false;
  }
  const install = (name: string): boolean => run([...prefix, ...INSTALL, name]);
  console.log(`installing Chromium for the tests of the pages: ${[...prefix, ...INSTALL, SHELL].join(" ")}`);
  // Fresh images have no package lists, and old lists name versions that are gone.
  run([...prefix, "apt-get", "update", "-qq"]);
  const isThere = (install(SHELL) || install("chromium")) && findChromium() !== undefined;
  if (!isThere) console.error(chromiumAdvice());
  return isThere;
};
