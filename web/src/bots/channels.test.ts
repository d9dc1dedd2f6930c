import { describe, expect, it } from 'vitest';
import type { Bot } from '@/api/resources';
import { channelSecret, isTelegramToken, randomWord, reachable, webhookAddress } from './channels';

const bot = { id: 'bot_01m84a4vtdq0rf1svwck87myp4', url: 'https://baas.example/b/bot_1/' } as Bot;

it('has an address for each channel', () => {
  expect(webhookAddress(bot, 'telegram')).toBe('https://baas.example/b/bot_1/telegram');
  expect(webhookAddress({ ...bot, url: 'https://x.example' }, 'whatsapp')).toBe('https://x.example/whatsapp');
});

describe('reachable', () => {
  it.each([
    ['https://baas.example/b/x/telegram', true],
    ['http://baas.example/b/x/telegram', false],
    ['https://127.0.0.1/b', false],
    ['https://localhost:8080/b', false],
    ['nothing', false],
  ])('%s: %s', (address, expected) => expect(reachable(address)).toBe(expected));
});

it('names secrets by the bot', () => expect(channelSecret(bot, 'TELEGRAM_TOKEN')).toBe('TELEGRAM_TOKEN_87MYP4'));

it('makes words that both platforms take', () => expect(randomWord()).toMatch(/^[0-9a-f]{48}$/));

it('knows tokens', () => {
  expect(isTelegramToken(' 123456789:AAE-abcdefghijklmnopqrstu_vwxyz012345 ')).toBe(true);
  expect(isTelegramToken('hello')).toBe(false);
});
