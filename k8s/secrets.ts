/** What the API server would add to a `remoteRef`, as in `k8s/components/external-secrets`: unstated, each diff would show it. */
const REMOTE_DEFAULTS = {
  conversionStrategy: "Default",
  decodingStrategy: "None",
  metadataPolicy: "None",
  nullBytePolicy: "Ignore",
};

/** One value of an ExternalSecret, from the entry of the same name. */
export const fromStore = (entry: string, key: string) => ({
  secretKey: key,
  remoteRef: { key: entry, property: key, ...REMOTE_DEFAULTS },
});
