import { basename, join } from "node:path";
import { installBunPeer, installCelery, PYTHON } from "./peers/install.ts";
import { type OpenOptions, openPrograms, type ProgramSet, type Programs } from "./programs.ts";

/** `load`: a server that answers and does nothing, which shows what the load generator can do. */
export type Kind = "ours" | "peer" | "limit" | "load";

/** What is measured beside others. */
export interface Contender {
  /** A checkout's folder, or a peer's name. */
  readonly name: string;
  readonly kind: Kind;
  /** A slow one is measured with fewer mails by this factor, a fast one with more: CPU time is counted in ticks of 10 ms. */
  readonly share: number;
  open(options: OpenOptions): Promise<Programs>;
}

const bun = process.execPath;
const peers = join(import.meta.dir, "peers");

const WELCOME = ["welcome-email"];

/** A checkout of ours, as an operator would set it and as the image has it; its dependencies are installed. */
export const checkout = (tree: string): Contender => {
  Bun.spawnSync([bun, "ops/prepare.ts", "api", "consumers"], { cwd: tree, stdio: ["ignore", "ignore", "inherit"] });
  return ofTree(tree);
};

const ofTree = (tree: string): Contender => ({
  name: tree,
  kind: "ours",
  share: 1,
  open: (options) =>
    openPrograms(
      {
        name: tree,
        cwd: tree,
        environment: {
          PUBLIC_URL: "https://signup.example",
          MAIL_TLS: "none",
          MAIL_FROM: "welcome@toblug.example",
          SERVICE_TOKEN: "a-token-for-benchmarks-alone",
          // As the image and `bun run api` set it (docs/decisions/0062).
          BUN_JSC_useFTLJIT: "0",
        },
        migrate: [bun, "database/migrate.ts"],
        api: [bun, "api/main.ts"],
        consumer: {
          command: [bun, "consumers/main.ts", ...(options.groups ?? WELCOME).flatMap((name) => ["--group", name])],
          health: true,
        },
      },
      options,
    ),
});

const bunPeer = (name: string, kind: Kind): ProgramSet & { readonly kind: Kind } => ({
  name,
  kind,
  cwd: join(peers, name),
  environment: {},
  api: [bun, "api.ts"],
  consumer: { command: [bun, "consumer.ts"], health: false },
});

/** Processes of Celery at the most: each has a connection and some 20 MiB. */
const CELERY_PROCESSES = 50;

const celery = (folder: string) => (options: OpenOptions) => {
  const python = [PYTHON, "-m"];
  const processes = String(Math.min(options.concurrency, CELERY_PROCESSES));
  const quiet = ["--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"];
  return openPrograms(
    {
      name: "celery",
      cwd: join(peers, "celery"),
      environment: { PYTHONPATH: join(folder, "usr/lib/python3/dist-packages"), PYTHONDONTWRITEBYTECODE: "1" },
      api: [...python, "gunicorn", "--config", "gunicorn.conf.py", "signups:app"],
      consumer: {
        command: [...python, "celery", "--app", "signups:queue", "worker", "--concurrency", processes, ...quiet],
        health: false,
      },
    },
    options,
  );
};

/** The names that `--peers` knows, and what each is. */
export const PEERS = ["bullmq", "celery", "graphile-worker", "limit", "load"] as const;
export type PeerName = (typeof PEERS)[number];

/**
 * A peer, installed if it is not.
 *
 * @throws an error with the reason where it cannot be had
 */
export const peer = (name: PeerName): Contender => {
  const ofBun = (kind: Kind): Contender => {
    const set = bunPeer(name, kind);
    return { name, kind, share: 1, open: (options) => openPrograms(set, options) };
  };
  switch (name) {
    case "bullmq":
    case "graphile-worker":
      installBunPeer(join(peers, name));
      return ofBun("peer");
    case "celery":
      return { name, kind: "peer", share: 0.1, open: celery(installCelery()) };
    case "limit":
      return { ...ofBun("limit"), share: 5 };
    case "load":
      return ofBun("load");
  }
};

/** A short name that tells contenders apart: "ours", or the folder's where there are several checkouts. */
export const labelsOf = (contenders: readonly Contender[]): readonly string[] => {
  const isAlone = contenders.filter(({ kind }) => kind === "ours").length === 1;
  return contenders.map(({ name, kind }) => (kind === "ours" ? (isAlone ? "ours" : basename(name)) : name));
};
