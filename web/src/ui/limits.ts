/** From this share of a limit on it is pointed at. */
export const nearLimit = 0.85;
