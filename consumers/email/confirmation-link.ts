import type { Locale } from "../../stream/events/user-signed-up.ts";

/** The link by which a user confirms their address, on the page of the API; the token is in its query. */
export const confirmationLink = (publicUrl: string, locale: Locale, token: string): string =>
  `${publicUrl.replace(/\/+$/, "")}/confirm?token=${token}&lang=${locale}`;
