import type { Bot } from '@/api/resources';

/** The tabs of a bot's page, as they are in its address. */
export const botTabs = ['overview', 'persona', 'channels', 'program', 'logs', 'usage', 'settings'] as const;
export type BotTab = (typeof botTabs)[number];

/** Those of each kind of bot. */
export const tabsOf: Record<Bot['kind'], readonly BotTab[]> = {
  assistant: ['overview', 'persona', 'channels', 'logs', 'usage', 'settings'],
  program: ['overview', 'program', 'logs', 'usage', 'settings'],
};
