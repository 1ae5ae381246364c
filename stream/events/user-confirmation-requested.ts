/**
 * Somebody asked for another mail to confirm an address. `user_id` is that of no user if nobody has the address: who exists
 * is found out by the consumer, so that the answer to whoever asked reveals nothing.
 * The data is that of a signup.
 */
export const USER_CONFIRMATION_REQUESTED = "user.confirmation_requested.v1";
