import { createTransport } from "nodemailer";
import {
  composeSample,
  MAIL_KINDS,
  type MailKind,
  type MailSample,
  type RenderedMail,
  renderSample,
} from "../../consumers/email/preview.ts";
import { withoutAddresses } from "../../observability/redact.ts";
import { smtpOptions } from "../../runtime/smtp-options.ts";
import type { Settings } from "../../settings/load.ts";
import { LOCALES } from "../../stream/events/user-signed-up.ts";
import { audited } from "./audited.ts";
import { NotFound, type Operator } from "./operator.ts";

export type { MailKind, MailSample, RenderedMail };
export { LOCALES, MAIL_KINDS };

/** What a mail looks like that is sent to a user of this name. Its links open nothing. */
export const previewMail = (sample: MailSample, settings: Pick<Settings, "BRAND_NAME" | "PUBLIC_URL">): RenderedMail =>
  renderSample(sample, { brandName: settings.BRAND_NAME, publicUrl: settings.PUBLIC_URL });

/** What a test send needs; where something is missing, it says so. */
export type SendingSettings = Pick<Settings, "BRAND_NAME" | "PUBLIC_URL"> &
  Partial<
    Pick<
      Settings,
      "MAIL_FROM" | "MAIL_FROM_NAME" | "MAIL_SERVER" | "MAIL_PORT" | "MAIL_TLS" | "MAIL_USERNAME" | "MAIL_PASSWORD"
    >
  >;

/** A mail to look at, and to whom it goes. */
export interface TestMail extends MailSample {
  readonly to: string;
  readonly newId: () => string;
  readonly now: () => Date;
}

/** A mail that could not be sent from here. */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

/** Limit for each phase of the conversation, in ms. */
const LIMIT_MS = 10_000;

const send = async (_: Operator, mail: TestMail, settings: SendingSettings): Promise<string> => {
  const { MAIL_SERVER: host, MAIL_PORT: port, MAIL_TLS: tls, MAIL_USERNAME: user, MAIL_PASSWORD: pass } = settings;
  const { MAIL_FROM: from, MAIL_FROM_NAME: fromName } = settings;
  if (host === undefined || port === undefined || tls === undefined || from === undefined || fromName === undefined) {
    throw new NotSent("this process has no mail server: MAIL_SERVER and MAIL_FROM are not set; consumers have them");
  }
  const options = {
    fromAddress: from,
    fromName,
    brandName: settings.BRAND_NAME,
    publicUrl: settings.PUBLIC_URL,
  };
  const message = composeSample(mail, options, { to: mail.to, eventId: mail.newId(), date: mail.now() });
  if (message === undefined) throw new NotFound("that is no address that mail can be sent to");
  const transport = createTransport({
    ...smtpOptions({ host, port, tls }, LIMIT_MS),
    socketTimeout: LIMIT_MS,
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass } }),
  });
  try {
    const { response } = await transport.sendMail({ envelope: { from, to: message.to }, raw: message.raw });
    return withoutAddresses(response);
  } catch (error) {
    const words = withoutAddresses(error instanceof Error ? error.message : String(error));
    throw new NotSent(words, { cause: error });
  } finally {
    transport.close();
  }
};

/**
 * Sends one mail to an operator's own address, by the mail server of the settings; returns what that said. It is no delivery: nothing
 * is written to the ledger.
 *
 * @throws {NotSent} if there is no mail server, or it refuses the mail
 */
export const sendTestMail = audited({
  name: "mail test",
  describe: ([{ kind, locale }]) => ({ arguments: { kind, locale } }),
  run: send,
  resultOf: () => ({ affected: 1 }),
});
