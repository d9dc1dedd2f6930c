import i18next, { type TFunction } from 'i18next';
import { beforeAll, expect, it } from 'vitest';
import type { Event } from '@/api/resources';
import { startTexts } from '@/i18n';
import { doerOf } from './text';

let t: TFunction<'events'>;
beforeAll(async () => {
  await startTexts('en');
  t = i18next.getFixedT('en', 'events');
});

const people = new Map([['usr_1', 'Ana']]);
const doer = (over: Partial<Event>) => doerOf(t, { kind: 'bot.created', ...over } as Event, people);

it('names members as they are called now', () =>
  expect(doer({ user_id: 'usr_1', data: { operator: 'Otto' } })).toBe('Ana'));

it('names who of the platform did it, as the event has it', () =>
  expect(doer({ user_id: 'usr_9', data: { operator: 'Otto' } })).toBe('Otto, support of the platform'));

it("doesn't say that a support session was ended by whose it was", () =>
  expect(doer({ user_id: 'usr_9', kind: 'support.ended', data: { operator: 'Otto' } })).toBe(
    'the support of the platform',
  ));

it('names who joined and left again, and nobody it does not know', () => {
  expect(doer({ user_id: 'usr_8', kind: 'member.joined', data: { email: 'a@b.example' } })).toBe('a@b.example');
  expect(doer({ user_id: 'usr_8', kind: 'member.removed', data: { email: 'a@b.example' } })).toBe('somebody');
  expect(doer({})).toBeUndefined();
});
