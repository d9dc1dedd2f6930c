import { expect, it } from 'vitest';
import type { Bot } from '@/api/resources';
import { copyOf } from './duplicate';

const base = { id: 'bot_1', name: 'A', worker_id: 'w1', access: 'public' } as Bot;

it('leaves the channels with the bot that has them', () => {
  const bot: Bot = {
    ...base,
    kind: 'assistant',
    assistant: { system_prompt: 'x', telegram: { token_secret: 'T', webhook_secret_secret: 'W' } },
  };
  expect(copyOf(bot, 'B', 'w2')).toEqual({
    name: 'B',
    worker_id: 'w2',
    kind: 'assistant',
    access: 'public',
    desired: 'running',
    assistant: { system_prompt: 'x' },
  });
});

it('lets a program wait for its files', () => {
  const bot = { ...base, kind: 'program', program: { command: ['./run'] }, files: { size: 1 } } as Bot;
  expect(copyOf(bot, 'B', 'w1').desired).toBe('stopped');
});
