import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { type Affected, affectedBy, type Restartable } from "./affected.ts";
import { filesOf, syntaxErrorOf } from "./imports.ts";

/** The programs of the parts, relative to the tree. */
const PROGRAMS: Readonly<Record<Restartable, string>> = { api: "api/main.ts", consumers: "consumers/main.ts" };
const FOLDERS = ["api", "consumers", "database", "observability", "runtime", "settings", "stream"];
/** An editor writes a file in several steps, and a person saves several files at once. */
const QUIET_MS = 150;
const SHOWN = 3;

export interface WatchOptions {
  /** The tree that is watched. */
  readonly root: string;
  readonly print: (line: string) => void;
  /** Called with what changed, one call at a time; what is saved meanwhile comes in the next. Must not reject. */
  readonly onChange: (affected: Affected) => Promise<void>;
}

export interface SourceWatch {
  close(): void;
}

const named = (paths: readonly string[]): string =>
  paths.length <= SHOWN
    ? paths.join(", ")
    : `${paths.slice(0, SHOWN).join(", ")} and ${paths.length - SHOWN} more files`;

/**
 * Watches the source of the parts. Saves that follow each other within 150 ms are one change. A file that cannot be
 * parsed is reported, and the change waits for the next save: a part that works is not replaced by one that cannot start.
 */
export const watchSources = ({ root, print, onChange }: WatchOptions): SourceWatch => {
  const graphs = () => ({ api: filesOf(root, PROGRAMS.api), consumers: filesOf(root, PROGRAMS.consumers) });
  const union = (one: ReturnType<typeof graphs>, other: ReturnType<typeof graphs>) => ({
    api: one.api.union(other.api),
    consumers: one.consumers.union(other.consumers),
  });
  let known = graphs();
  const saved = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  let isSavedMeanwhile = false;

  const settle = async (): Promise<void> => {
    const paths = [...saved];
    const now = graphs();
    // Also what was loaded until now: a file that was removed, or is imported no more.
    const files = union(known, now);
    const affected = affectedBy(paths, files);
    const causes = paths.filter((path) => affectedBy([path], files).parts.length > 0).toSorted();
    const faults = causes.flatMap((path) => {
      const fault = syntaxErrorOf(root, path);
      return fault === undefined ? [] : [`${path} cannot be parsed, nothing is restarted: ${fault}`];
    });
    for (const fault of faults) print(fault);
    if (faults.length > 0) return;
    saved.clear();
    known = now;
    if (affected.parts.length === 0) return;
    print(`${named(causes)} changed: restarting ${affected.parts.join(" and ")}`);
    await onChange(affected);
  };

  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      isBusy = true;
      isSavedMeanwhile = false;
      await settle();
      isBusy = false;
      if (isSavedMeanwhile) arm();
    }, QUIET_MS);
  };

  const note = (path: string): void => {
    saved.add(path);
    if (isBusy) isSavedMeanwhile = true;
    else arm();
  };

  const watchers = FOLDERS.filter((folder) => existsSync(join(root, folder))).map((folder) =>
    watch(join(root, folder), { recursive: true }, (_, name) => {
      if (name !== null) note(join(folder, name));
    }).on("error", (error) => print(`${folder}/ is not watched any more: ${error.message}`)),
  );

  return {
    close() {
      for (const watcher of watchers) watcher.close();
      isSavedMeanwhile = false;
      clearTimeout(timer);
    },
  };
};
