/** Everything up to the hosts, the hosts, and the rest. A password may hold an encoded comma, never a plain one. */
const PARTS = /^(?<before>[a-z+]+:\/\/(?:[^@/?#]*@)?)(?<hosts>[^/?#]*)(?<after>.*)$/s;

/** A URL that may name several hosts, separated by commas, as one URL for each, in its order. */
export const urlOfEachHost = (url: string): readonly string[] => {
  const { before = "", hosts = "", after = "" } = PARTS.exec(url)?.groups ?? {};
  return hosts.split(",").map((host) => `${before}${host}${after}`);
};
