import description from "../package.json" with { type: "json" };

/** The version of this release, from `package.json`. */
export const VERSION: string = description.version;
