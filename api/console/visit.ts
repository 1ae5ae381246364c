import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import type { Operator } from "../../ops/actions/operator.ts";
import type { SendingSettings } from "../../ops/actions/preview-mail.ts";
import type { Settings } from "../../settings/load.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Feed } from "./now/feed.ts";
import type { Snapshot } from "./now/snapshot.ts";
import type { OpenSession } from "./session.ts";

/** Both stores, with the rights of ops. */
export interface ConsoleStores {
  readonly db: Database;
  readonly redis: Redis;
}

/** What all pages are made with; it lives as long as the process. */
export interface ConsoleParts {
  /** Opened when they are first asked for. */
  readonly stores: () => ConsoleStores;
  readonly keys: Keys;
  /** What happens now, read once for all who look. */
  readonly snapshots: Feed<Snapshot>;
  /** Every group of the configuration. */
  readonly groups: readonly Group[];
  readonly settings: Pick<
    Settings,
    | "BRAND_NAME"
    | "PUBLIC_URL"
    | "GRAFANA_URL"
    | "MAIL_RATE_PER_SECOND"
    | "MAIL_RATE_PER_DAY"
    | "WEBHOOK_ALLOW_PRIVATE"
    | "WEBHOOK_TIMEOUT_MS"
    | "receivers"
  > &
    SendingSettings;
  readonly log: Logger;
  readonly now: () => Date;
  readonly newId: () => string;
  /** Aborted when the process is to stop. */
  readonly stopping: AbortSignal;
}

/** A page's own part of the document. */
export interface PageContent {
  readonly title: string;
  readonly children: Child;
  /** 200 if not given. */
  readonly status?: ContentfulStatusCode;
  /** Scripts of the page, by the names in `assets.ts`. It must read well without them. */
  readonly scripts?: readonly string[];
}

/** One request of somebody who is signed in. */
export interface Visit {
  readonly c: Context;
  readonly session: OpenSession;
  /** From where, as the audit log records it. */
  readonly client: string;
  /** The fields of the form that was sent, checked to be ours; empty for a GET. */
  readonly form: URLSearchParams;
  /** An operator in the session's name: every action is recorded as theirs, surface `console`. */
  operator(parts?: Partial<Pick<Operator, "signal" | "onProgress">>): Operator;
  /** Answers with a page in the console's layout. */
  page(content: PageContent): Promise<Response>;
  /** Answers with another page, by GET (303). */
  redirect(path: string): Response;
  /** Whether the session was signed out elsewhere meanwhile. */
  hasEnded(): Promise<boolean>;
}

export type VisitHandler = (visit: Visit) => Promise<Response> | Response;

/** One path of a section. */
export interface ConsolePath {
  /** From the root: `/console/deliveries/:group`. */
  readonly path: string;
  readonly get?: VisitHandler;
  /** Only operators get here, with a form of their own session. */
  readonly post?: VisitHandler;
  /** Whether readers may send the form too: it changes nothing. */
  readonly isHarmless?: true;
}

/** A section of the console: a link in the navigation, and its pages. */
export interface ConsoleSection {
  readonly label: string;
  /** The letter that goes there, after `g`. */
  readonly key: string;
  /** Where the link leads; the section's other paths begin with it. */
  readonly path: string;
  readonly paths: (parts: ConsoleParts) => readonly ConsolePath[];
}
