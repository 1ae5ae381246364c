import type { SettingsOf } from "../../settings/load.ts";
import { LOCALES, type Locale } from "../../stream/event.ts";
import type { Handler } from "../engine/dispatcher.ts";
import { classify, keptReply } from "./classify.ts";
import { wireAddress } from "./mail-headers.ts";
import { createMessageBuilder, type MessageOptions } from "./message.ts";
import { observedPool } from "./observe.ts";
import { createSmtpPool, type SmtpPool } from "./smtp-pool.ts";

export interface WelcomeEmailDeps {
  readonly pool: SmtpPool;
  readonly greylistMs: number;
  readonly wallClock: () => Date;
}

/** The whole of one send, connecting included. Then the socket is closed, however busily the server drips. */
const SEND_DEADLINE_MS = 30_000;

const localeOf = (text: string): Locale => LOCALES.find((locale) => locale === text) ?? "vi";

/** Sends the welcome mail of one signup, and says what became of it. */
export const createWelcomeEmail = (deps: WelcomeEmailDeps, options: MessageOptions): Handler => {
  const { pool, greylistMs, wallClock } = deps;
  const build = createMessageBuilder(options);
  return async (mail, { signal, beforeBody }) => {
    const address = wireAddress(mail.email);
    if (address.kind === "unusable") return { kind: "permanent", reason: address.reason, suppressAddress: false };
    const message = build({
      eventId: mail.eventId,
      locale: localeOf(mail.locale),
      userName: mail.userName,
      to: address.address,
      date: wallClock(),
    });
    const outgoing = { from: options.fromAddress, to: address.address, raw: message.raw, beforeBody };
    const result = await pool.send(outgoing, signal);
    if (result.kind === "accepted") {
      return { kind: "sent", reply: keptReply(result.reply), messageId: message.messageId };
    }
    const outcome = classify(result.failure, { greylistMs, domain: address.domain });
    // Who called it back says why: `stopped`, `lease_lost`, ...
    return outcome.kind === "released" && typeof signal.reason === "string"
      ? { ...outcome, reason: signal.reason }
      : outcome;
  };
};

/** The group's handler as the settings want it, and what is to be closed with it. */
export const welcomeEmail = (settings: SettingsOf<"consumer">): { handler: Handler; close: () => Promise<void> } => {
  const { MAIL_USERNAME: username, MAIL_PASSWORD: password } = settings;
  const server = {
    host: settings.MAIL_SERVER,
    port: settings.MAIL_PORT,
    tls: settings.MAIL_TLS,
    ...(username === undefined || password === undefined ? {} : { username, password }),
  };
  const size = settings.MAIL_POOL_SIZE;
  const pool = observedPool(createSmtpPool({ server, size, sendDeadlineMs: SEND_DEADLINE_MS }), server, size);
  const handler = createWelcomeEmail(
    { pool, greylistMs: settings.RETRY_GREYLIST_MS, wallClock: () => new Date() },
    {
      fromAddress: settings.MAIL_FROM,
      fromName: settings.MAIL_FROM_NAME,
      brandName: settings.BRAND_NAME,
      publicUrl: settings.PUBLIC_URL,
    },
  );
  return { handler, close: () => pool.close() };
};
