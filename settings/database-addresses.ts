/** Everything up to the hosts, the hosts, and the rest. A password may hold an encoded comma, never a plain one. */
const PARTS = /^(?<before>[a-z]+:\/\/(?:[^@/?#]*@)?)(?<hosts>[^/?#]*)(?<after>.*)$/s;
/** Chooses among several hosts in libpq; here the one that takes writes is always looked for. */
const CHOICE = "target_session_attrs";

/**
 * The addresses of a database's URL, in its order, one URL for each: `postgres://app@a:5432,b:5433/signup` names two servers,
 * of which one takes writes.
 */
export const databaseAddresses = (url: string): readonly string[] => {
  const { before = "", hosts = "", after = "" } = PARTS.exec(url)?.groups ?? {};
  return hosts.split(",").map((host) => {
    const address = URL.parse(`${before}${host}${after}`);
    // What is no URL is refused where the settings are read.
    if (address === null) return url;
    address.searchParams.delete(CHOICE);
    return address.href;
  });
};
