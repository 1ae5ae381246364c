import type { Locale } from "../../stream/events/user-signed-up.ts";

/** A page of the API; the token is in its query. */
const pageLink = (publicUrl: string, page: string, locale: Locale, token: string): string =>
  `${publicUrl.replace(/\/+$/, "")}/${page}?token=${token}&lang=${locale}`;

/** The link by which a user confirms their address. */
export const confirmationLink = (publicUrl: string, locale: Locale, token: string): string =>
  pageLink(publicUrl, "confirm", locale, token);

/** The link by which somebody says that they did not sign up, and want no more mail. */
export const notMeLink = (publicUrl: string, locale: Locale, token: string): string =>
  pageLink(publicUrl, "not-me", locale, token);
