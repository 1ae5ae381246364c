/** SQL: a regular expression that matches a UUID in lower case. */
export const SQL_UUID = "'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'";

const UUID = new RegExp(SQL_UUID.slice(1, -1), "i");

/** Whether a text can be the id of a user or of an event: Postgres refuses any other as a `uuid`. */
export const isUuid = (text: string | undefined): text is string => text !== undefined && UUID.test(text);
