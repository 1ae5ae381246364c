import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { isTokenOf } from "../operations/service-token.ts";

const ROLES = ["operator", "reader"] as const;

/** operator: may act; reader: may look. */
export type ConsoleRole = (typeof ROLES)[number];

/** Who is signed in. */
export interface Session {
  /** UUIDv7 */
  readonly id: string;
  /** What they call themselves, for the audit log. */
  readonly name: string;
  readonly role: ConsoleRole;
  /** ms since 1970. */
  readonly begunAt: number;
  readonly endsAt: number;
}

/** A session as its cookie has it, with what its forms must carry. */
export interface OpenSession extends Session {
  /** The value of the field `csrf`. */
  readonly csrf: string;
}

/**
 * Sessions that live in their cookies: any replica of the api opens what another one began, and nobody needs a store to sign in.
 * Those that were ended before their time are in `sign-outs.ts`.
 */
export interface Sessions {
  /** The role that a token has; undefined: it is none of ours. Takes the same time for each wrong one. */
  roleOf(token: string): ConsoleRole | undefined;
  /** A session's cookie. */
  begin(name: string, role: ConsoleRole): string;
  /** The session of a cookie; undefined: its time is over, or it was never ours. */
  open(cookie: string): OpenSession | undefined;
}

export interface SessionsDeps {
  readonly tokens: Readonly<Record<ConsoleRole, string | undefined>>;
  /** ms since 1970. */
  readonly wallClockMs: () => number;
  readonly newId: () => string;
}

/** Of a session, in ms. */
export const SESSION_LIFE_MS = 12 * 3_600_000;

const payload = z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES), endsAt: z.number() });

const keyOf = (token: string): Buffer => Buffer.from(hkdfSync("sha256", token, "", "signup-stream console", 32));

const sign = (key: Buffer, purpose: "session" | "form", text: string): Buffer =>
  createHmac("sha256", key).update(`${purpose} ${text}`).digest();

const parse = (body: string) => {
  try {
    return payload.safeParse(JSON.parse(Buffer.from(body, "base64url").toString())).data;
  } catch {
    return undefined;
  }
};

/** The key follows from the role's token, so a new token ends the sessions that the old one began. */
export const createSessions = ({ tokens, wallClockMs, newId }: SessionsDeps): Sessions => {
  const held = ROLES.flatMap((role) => {
    const token = tokens[role];
    return token === undefined ? [] : [{ role, key: keyOf(token), isToken: isTokenOf(token) }];
  });
  return {
    roleOf: (token) => held.filter(({ isToken }) => isToken(token))[0]?.role,
    begin(name, role) {
      const key = held.find((each) => each.role === role)?.key;
      if (key === undefined) throw new Error(`there is no token of the role ${role}`);
      const content = { id: newId(), name, role, endsAt: wallClockMs() + SESSION_LIFE_MS };
      const body = Buffer.from(JSON.stringify(content)).toString("base64url");
      return `${body}.${sign(key, "session", body).toString("base64url")}`;
    },
    open(cookie) {
      const [body = "", mac = ""] = cookie.split(".");
      const given = Buffer.from(mac, "base64url");
      const signer = held.find(({ key }) => {
        const expected = sign(key, "session", body);
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      const content = signer === undefined ? undefined : parse(body);
      if (signer === undefined || content?.role !== signer.role || content.endsAt <= wallClockMs()) return undefined;
      const begunAt = content.endsAt - SESSION_LIFE_MS;
      return { ...content, begunAt, csrf: sign(signer.key, "form", body).toString("base64url") };
    },
  };
};
