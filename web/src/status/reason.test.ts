import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '@/api/resources';
import { eventText } from '@/events/text';
import { setLanguage, startTexts } from '@/i18n';
import { translateReason } from './reason';

let t: TFunction<'status'>;
let events: TFunction<'events'>;
beforeAll(async () => {
  await startTexts('pt-BR');
  await setLanguage('pt-BR', false);
  t = i18next.getFixedT('pt-BR', 'status');
  events = i18next.getFixedT('pt-BR', 'events');
});

describe('translateReason', () => {
  it.each([
    ['runs', 'em execução normal'],
    ['its disk is nearly full (1.9 GiB of 2.0 GiB)', 'o disco está quase cheio (1.9 GiB de 2.0 GiB)'],
    [
      'its agent did not connect within 60 s; attempt 2 failed',
      'o agente não se conectou em 60 s; a tentativa 2 falhou',
    ],
    [
      'bot Vendas: ended with code 1, 3 times in a row; next start in 8 s',
      'bot Vendas: terminou com o código 1, 3 vezes seguidas; próximo início em 8 s',
    ],
    ['its machine could not be made: no space left', 'não foi possível criar a máquina: no space left'],
    ['its Worker is stopped', 'o Worker está neste estado: parado'],
    [
      "its Worker can't be started: its machine ran out of memory",
      'não foi possível iniciar o Worker: a máquina ficou sem memória',
    ],
  ])('%s', (reason, said) => {
    expect(translateReason(t, reason)).toBe(said);
  });
  it('shows what it does not know as it came', () => {
    expect(translateReason(t, 'something new happened')).toBe('something new happened');
  });
  it('takes a name as it is, however it looks', () => {
    expect(translateReason(t, 'bot {{x}} <b>: stopped')).toBe('bot {{x}} <b>: parado');
  });
});

describe('eventText', () => {
  const event = (kind: string, message: string, data?: Record<string, unknown>) => ({ kind, message, data }) as Event;
  const say = (e: Event) => eventText(events, t, e);
  it('says a known kind in the language of the texts', () => {
    expect(say(event('worker.created', 'the Worker X was made', { name: 'X' })).text).toBe('O Worker X foi criado');
  });
  it('translates the reason of a state', () => {
    expect(say(event('worker.running', 'Worker X: runs'))).toEqual({ subject: 'X', text: 'Em execução normal' });
  });
  it('falls back to the state when there is no reason', () => {
    expect(say(event('bot.crash_loop', 'Bot X: '))).toEqual({ subject: 'X', text: 'Caindo' });
  });
  it('shows an unknown event in its own words', () => {
    expect(say(event('thing.done', 'a thing was done')).text).toBe('A thing was done');
  });
});
