import type { Bot } from '@/api/resources';
import type { BotInput } from './queries';

/**
 * A bot with the same settings. It is connected to no channel, since a chat account serves one bot only, and a program
 * whose files aren't copied waits for them.
 */
export function copyOf(bot: Bot, name: string, worker: string): BotInput {
  const assistant = bot.assistant && { ...bot.assistant, telegram: undefined, whatsapp: undefined };
  return {
    name,
    worker_id: worker,
    kind: bot.kind,
    access: bot.access,
    desired: bot.files ? 'stopped' : 'running',
    assistant,
    program: bot.program,
  };
}
