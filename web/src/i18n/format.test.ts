import { describe, expect, it } from 'vitest';
import { formatter } from './format';

const nbsp = '\u00a0';
const pt = formatter('pt-BR');
const en = formatter('en');

describe('formatter', () => {
  it('says sizes in the locale', () => {
    expect(pt.cpu(250)).toBe(`0,25${nbsp}vCPU`);
    expect(en.cpu(250)).toBe(`0.25${nbsp}vCPU`);
    expect(pt.memory(512)).toBe(`512${nbsp}MB`);
    expect(pt.memory(1536)).toBe(`1,5${nbsp}GB`);
    expect(en.disk(2048)).toBe(`2${nbsp}TB`);
    expect(en.bytes(0)).toBe(`0${nbsp}B`);
  });
  it('says how long ago', () => {
    const now = Date.UTC(2026, 0, 1, 12);
    expect(en.relative(now - 5 * 60_000, now)).toBe('5 min. ago');
    expect(pt.relative(now - 2 * 3_600_000, now)).toBe('há 2 h');
    expect(en.relative(now, now)).toBe('now');
    expect(en.relative(now + 30_000, now)).toBe('in 30 sec.');
  });
  it('orders names as people expect', () => {
    expect(['Bot 10', 'bot 2', 'Ágata', 'Zebra'].sort(pt.compare)).toEqual(['Ágata', 'bot 2', 'Bot 10', 'Zebra']);
  });
});
