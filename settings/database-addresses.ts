import { urlOfEachHost } from "./hosts.ts";

/** Chooses among several hosts in libpq; here the one that takes writes is always looked for. */
const CHOICE = "target_session_attrs";

/**
 * The addresses of a database's URL, in its order, one URL for each: `postgres://app@a:5432,b:5433/signup` names two servers,
 * of which one takes writes.
 */
export const databaseAddresses = (url: string): readonly string[] =>
  urlOfEachHost(url).map((each) => {
    const address = URL.parse(each);
    // What is no URL is refused where the settings are read.
    if (address === null) return url;
    address.searchParams.delete(CHOICE);
    return address.href;
  });
