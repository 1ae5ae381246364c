const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text can be the id of a user or of an event; Postgres would refuse any other as a `uuid`. */
export const isUuid = (text: string | undefined): text is string => text !== undefined && UUID.test(text);
