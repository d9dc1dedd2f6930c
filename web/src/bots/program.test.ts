import { describe, expect, it } from 'vitest';
import type { Program } from '@/api/resources';
import { emptyProgram, looksSecret, parseEnv, programOf, programValuesOf, uploadProblem } from './program';

const full: Program = {
  command: ['python3', 'bot.py', '--name', 'a b'],
  env: [
    { name: 'LANG', value: 'pt_BR' },
    { name: 'API_KEY', secret: 'OPENAI_API_KEY' },
  ],
  port: 8080,
  health: { http: '/ready', interval_seconds: 30, timeout_seconds: 5, failures: 4, restart_after: 3 },
  restart: 'on_failure',
  stop_seconds: 20,
};

describe('programOf', () => {
  it('gives back what programValuesOf read', () => expect(programOf(programValuesOf(full), full)).toEqual(full));
  it('has no health check unless one is chosen', () =>
    expect(programOf({ ...programValuesOf(full), health: 'none' }, full).health).toBeUndefined());
  it('has one kind of check only', () =>
    expect(programOf({ ...programValuesOf(full), health: 'tcp' }, full).health).toEqual({
      tcp: true,
      interval_seconds: 30,
      timeout_seconds: 5,
      failures: 4,
      restart_after: 3,
    }));
  it('leaves out rows without a name', () =>
    expect(
      programOf({
        ...emptyProgram,
        command: './run',
        env: [{ key: '1', name: '', kind: 'value', value: 'x', secret: '' }],
      }).env,
    ).toEqual([]));
});

it('reads .env files', () =>
  expect(parseEnv('# comment\nexport A=1\nB="two words"\n\nC = x=y\n1D=no')).toEqual([
    { name: 'A', value: '1' },
    { name: 'B', value: 'two words' },
    { name: 'C', value: 'x=y' },
  ]));

it.each([
  ['OPENAI_API_KEY', true],
  ['DB_PASSWORD', true],
  ['SENHA', true],
  ['MONKEY', false],
  ['LANG', false],
])('%s looks secret: %s', (name, expected) => expect(looksSecret(name)).toBe(expected));

it('takes archives of at most 64 MiB', () => {
  expect(uploadProblem({ name: 'bot.zip', size: 10 })).toBeUndefined();
  expect(uploadProblem({ name: 'bot.tar.gz', size: 10 })).toBeUndefined();
  expect(uploadProblem({ name: 'bot.py', size: 10 })).toBe('kind');
  expect(uploadProblem({ name: 'bot.zip', size: 65 * 2 ** 20 })).toBe('size');
});
