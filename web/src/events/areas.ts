/** What events are about. */
export const eventAreas = [
  'worker', 'bot', 'move', 'secret', 'member', 'invitation', 'token', 'tenant', 'support',
] as const; // biome-ignore format: one line
export type EventArea = (typeof eventAreas)[number];
