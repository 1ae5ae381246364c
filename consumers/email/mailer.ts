import { returnPath } from "../../database/bounces/return-path.ts";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { signConfirmation } from "../../database/users/confirmation-token.ts";
import { disownKeyOf } from "../../database/users/disown-key.ts";
import type { Recipient } from "../../database/users/recipients.ts";
import { dkimKeysOf } from "../../runtime/dkim-keys.ts";
import type { UserSignedUp } from "../../stream/events/user-signed-up.ts";
import type { GroupContext } from "../engine/factory.ts";
import type { Attempt, Capacity, Claim, Outcome } from "../engine/handler.ts";
import { capsOf } from "./caps.ts";
import { createDkimSigner } from "./dkim.ts";
import { createMessageBuilder, type MessageOptions } from "./message.ts";
import { capacityOf, type MAIL_SETTINGS, openMailPool } from "./open-pool.ts";
import { prepareRecipients, suppressRecipient } from "./recipients.ts";
import { sendMail } from "./send.ts";

/** Somebody who did not sign up may find the mail late: 30 days. */
const NOT_ME_EXPIRES_AFTER_MS = 30 * 24 * 3_600_000;

/** Sends one mail of a kind: the work of a group. */
export type SendToUser = (claim: Claim<UserSignedUp>, recipient: Recipient, attempt: Attempt) => Promise<Outcome>;

type AsksToConfirm = NonNullable<Parameters<typeof prepareRecipients>[2]>;

/** The mails of one group to users, each with a link to confirm the address, and one for who did not sign up. */
export interface Mailer {
  /** `prepareRecipients`, with the caps of the settings; reads the key of the links, too, the first time, so that no attempt does. */
  prepare(
    pieces: Parameters<typeof prepareRecipients>[1],
    asksToConfirm?: AsksToConfirm,
  ): ReturnType<typeof prepareRecipients>;
  /** Renders a kind of mail, once; what is returned sends one of it. */
  mail(kind: Pick<MessageOptions, "kind" | "words" | "link">): SendToUser;
  /** The mail server, for people. */
  readonly system: string;
  /** What the mail server grants. */
  readonly capacity: Capacity;
  close(): Promise<void>;
}

/** Opens the connections to the mail server, for the mails of one group. */
export const openMailer = (
  { settings, db, log }: GroupContext<(typeof MAIL_SETTINGS)[number]>,
  group: string,
): Mailer => {
  const pool = openMailPool(settings, log);
  const key = createConfirmationKey(db, settings.CONFIRMATION_SECRET);
  const sign = createDkimSigner(dkimKeysOf(settings));
  const { MAIL_FROM: fromAddress, MAIL_BOUNCE_ADDRESS: bounceAddress } = settings;
  const sending = {
    group,
    pool,
    greylistMs: settings.RETRY_GREYLIST_MS,
    suppress: suppressRecipient(db, log),
    now: () => performance.now(),
  };
  let links: { readonly secret: Buffer; readonly disown: Buffer } | undefined;
  /** The keys of both links; the second is derived once. */
  const linkKeys = async () => {
    const secret = await key();
    if (links?.secret !== secret) links = { secret, disown: disownKeyOf(secret) };
    return links;
  };
  return {
    system: `mail server ${settings.MAIL_SERVER}:${settings.MAIL_PORT}`,
    capacity: capacityOf(pool, settings.MAIL_POOL_SIZE),
    prepare: async (pieces, asksToConfirm) => {
      const secret = await key();
      return prepareRecipients(db, pieces, asksToConfirm, (email) => capsOf(settings, secret, email));
    },
    mail: (kind) => {
      const build = createMessageBuilder({
        fromAddress,
        fromName: settings.MAIL_FROM_NAME,
        brandName: settings.BRAND_NAME,
        publicUrl: settings.PUBLIC_URL,
        ...kind,
      });
      return async (claim, recipient, attempt) => {
        const { locale } = claim.data;
        const date = new Date();
        const expiresAtMs = date.getTime() + settings.CONFIRMATION_EXPIRE_AFTER_MS;
        const { secret, disown } = await linkKeys();
        const { userId, userName } = recipient;
        const token = signConfirmation(secret, { userId, expiresAtMs });
        const notMeToken = signConfirmation(disown, {
          userId,
          expiresAtMs: date.getTime() + NOT_ME_EXPIRES_AFTER_MS,
        });
        const message = { eventId: claim.eventId, locale, userName, date, token, notMeToken };
        const from =
          bounceAddress === undefined
            ? fromAddress
            : returnPath(secret, bounceAddress, { eventId: claim.eventId, group });
        const buildSigned = async (to: string) => {
          const built = build({ ...message, to });
          return sign === undefined ? built : { ...built, raw: await sign(built.raw), wire: undefined };
        };
        return sendMail(sending, { recipient, from, build: buildSigned }, claim, attempt);
      };
    },
    close: () => pool.close(),
  };
};
