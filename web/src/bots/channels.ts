import type { Bot } from '@/api/resources';

export type Channel = 'telegram' | 'whatsapp';

export const channelNames = { telegram: 'Telegram', whatsapp: 'WhatsApp' } as const satisfies Record<Channel, string>;

/** Where the chat platform sends what people write. */
export const webhookAddress = (bot: Bot, channel: Channel): string =>
  `${(bot.url ?? '').replace(/\/$/, '')}/${channel}`;

/** Whether chat platforms can reach the address at all: they take public https addresses only. */
export function reachable(address: string): boolean {
  try {
    const { protocol, hostname } = new URL(address);
    return protocol === 'https:' && hostname !== 'localhost' && !/^(127\.|10\.|192\.168\.|\[::1\])/.test(hostname);
  } catch {
    return false;
  }
}

/** The name of a secret that belongs to one bot's channel. */
export const channelSecret = (bot: Bot, what: string): string => `${what}_${bot.id.slice(-6).toUpperCase()}`;

/** A random word that chat platforms take as a secret: letters and digits. */
export function randomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export const isTelegramToken = (token: string): boolean => /^\d{5,}:[A-Za-z0-9_-]{20,}$/.test(token.trim());
