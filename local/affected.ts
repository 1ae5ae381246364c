/** The parts that run the project's code for as long as the system is up. */
export type Restartable = "api" | "consumers";

/** What saved files ask for. */
export interface Affected {
  /** Migrations come first, and concern everybody. */
  readonly migrate: boolean;
  readonly parts: readonly Restartable[];
}

const MIGRATIONS = "database/migrations";
const PARTS: readonly Restartable[] = ["api", "consumers"];

const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);

/** Whether the path is one of the files, or a folder (moved or removed as a whole) that holds one. */
const concerns = (path: string, files: ReadonlySet<string>): boolean =>
  files.has(path) || [...files].some((file) => file.startsWith(`${path}/`));

/**
 * What is to be restarted after these files were saved, moved or removed: each part that loads one of them, by
 * `files`; after a migration, both, once the database is up to date. Tests, documents and tools restart nothing.
 */
export const affectedBy = (
  paths: readonly string[],
  files: Readonly<Record<Restartable, ReadonlySet<string>>>,
): Affected => {
  const migrate = paths.some((path) => path.startsWith(`${MIGRATIONS}/`) && path.endsWith(".ts") && !isTest(path));
  const parts = PARTS.filter((part) => migrate || paths.some((path) => concerns(path, files[part])));
  return { migrate, parts };
};
