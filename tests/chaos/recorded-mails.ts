import { MAIL, NOTICE, REMINDER } from "./groups.ts";

/** One copy of a mail that the mail server accepted. */
export interface RecordedMail {
  readonly eventId: string;
  readonly to: string;
  /** The fault in force at the time. */
  readonly during: string;
}

/** A link to confirm an address, as its user received it. */
export interface ReceivedLink {
  readonly to: string;
  readonly token: string;
}

/** What the mail server accepted, by group, and little enough of each mail that 100,000 are no burden. */
export interface RecordedMails {
  record(mail: { readonly raw: string; readonly to: string; readonly during: string }): void;
  /** Append only. */
  of(group: string): readonly RecordedMail[];
  /** The event ids of `of`, in the same order. */
  eventIdsOf(group: string): readonly string[];
  /** The links of welcome mails that were accepted since the last call. */
  takeLinks(): readonly ReceivedLink[];
}

const MESSAGE_ID = /^Message-ID: <([0-9a-f-]{36})\.(?:(welcome)|confirmation|(reminder)|(notice))@/m;
/** A line of its own, which quoted-printable continues. */
const TOKEN = /^([\w-]{72})=\r?$/m;

/** A copy of its own: a part of a string keeps the whole of it in memory. */
const copyOf = (part: string): string => Buffer.from(part, "latin1").toString("latin1");

const GROUPS = [MAIL, REMINDER, NOTICE];

export const createRecordedMails = (): RecordedMails => {
  const mails = new Map<string, RecordedMail[]>(GROUPS.map((group) => [group, []]));
  const eventIds = new Map<string, string[]>(GROUPS.map((group) => [group, []]));
  let links: ReceivedLink[] = [];
  return {
    record({ raw, to, during }) {
      const [, id = "", welcome, reminder, notice] = MESSAGE_ID.exec(raw) ?? [];
      const eventId = copyOf(id);
      // The group of the welcome mail sends further links, too.
      const group = reminder !== undefined ? REMINDER : notice !== undefined ? NOTICE : MAIL;
      mails.get(group)?.push({ eventId, to, during });
      eventIds.get(group)?.push(eventId);
      const token = TOKEN.exec(raw)?.[1];
      if (welcome !== undefined && token !== undefined) links.push({ to, token: copyOf(token) });
    },
    of: (group) => mails.get(group) ?? [],
    eventIdsOf: (group) => eventIds.get(group) ?? [],
    takeLinks() {
      const taken = links;
      links = [];
      return taken;
    },
  };
};
