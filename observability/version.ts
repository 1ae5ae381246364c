import description from "../package.json" with { type: "json" };

/** The version of the service, as package.json has it: shown wherever the service says which one it is. */
export const VERSION: string = description.version;
