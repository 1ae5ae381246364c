/** The one test file that needs a browser. */
const BROWSER_TEST = "tests/signup-page.test.ts";

const INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"];
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A Chromium on PATH. */
export const findChromium = (): string | undefined =>
  NAMES.map((name) => Bun.which(name)).find((command) => command !== null) ?? undefined;

/** What helps where there is none: the exact command. */
export const chromiumAdvice = (): string =>
  `The test of the signup page needs Chromium, and there is none on PATH. Run: ${
    Bun.which("apt-get") === null ? "the package manager's install of chromium" : ["sudo", ...INSTALL].join(" ")
  }`;

/** Whether `bun test` with these arguments runs the browser's test: what is no flag is a part of a path. */
const includesBrowser = (args: readonly string[]): boolean => {
  const filters = args.filter((arg) => !arg.startsWith("-"));
  return filters.length === 0 || filters.some((filter) => BROWSER_TEST.includes(filter.replace(/^\.\//, "")));
};

const run = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  }).success;

/** Root, or who may become root without a password. */
const asRoot = (): readonly string[] | undefined => {
  if (process.getuid?.() === 0) return [];
  const mayBe = Bun.which("sudo") !== null && Bun.spawnSync(["sudo", "-n", "true"]).success;
  return mayBe ? ["sudo", "-n"] : undefined;
};

/**
 * Installs Debian's Chromium where the tests that are to run need one, there is none, and no password is asked for.
 *
 * @throws an error with the exact command to run
 */
export const provideChromium = (testArgs: readonly string[]): void => {
  if (!includesBrowser(testArgs) || findChromium() !== undefined) return;
  const prefix = Bun.which("apt-get") === null ? undefined : asRoot();
  if (prefix === undefined) throw new Error(chromiumAdvice());
  console.log(`installing Chromium for the test of the signup page: ${[...prefix, ...INSTALL].join(" ")}`);
  const install = () => run([...prefix, ...INSTALL]);
  // Fresh images have no package lists, and old lists name versions that are gone.
  const installed = run([...prefix, "apt-get", "update", "-qq"]) ? install() : install();
  if (!installed || findChromium() === undefined) throw new Error(chromiumAdvice());
};
