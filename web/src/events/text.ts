import type { TFunction } from 'i18next';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { BotState, Event, WorkerState } from '@/api/resources';
import { translateReason } from '@/status/reason';
import catalogue from './en.json';

type Kind = keyof (typeof catalogue)['kind'];

const kinds: ReadonlySet<string> = new Set(Object.keys(catalogue.kind));

const capital = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);

/** The state that a kind such as "bot.running" names, in words. */
function stateOf(status: TFunction<'status'>, kind: string): string {
  const [noun, state] = kind.split('.');
  if (noun === 'worker') return status(`worker.${state as WorkerState}`);
  if (noun === 'bot') return status(`bot.${state as BotState}`);
  return kind;
}

export interface EventText {
  /** What it is about, when that isn't part of the text. */
  subject?: string;
  text: string;
}

/** Says an event in the language of the texts; one that isn't known comes in the platform's own words. */
export function eventText(t: TFunction<'events'>, status: TFunction<'status'>, event: Event): EventText {
  const kind = event.kind.replace('.', '_');
  const data = (event.data ?? {}) as Record<string, unknown>;
  if (kinds.has(kind)) {
    return { text: t(`kind.${kind as Kind}`, { ...data, name: data.name ?? '', email: data.email ?? '' }) };
  }
  const about = /^(?:Worker|Bot) (?!move: )(?<subject>.+?):(?: (?<reason>.*))?$/s.exec(event.message)?.groups;
  if (about?.subject) {
    const reason = about.reason ? translateReason(status, about.reason) : stateOf(status, event.kind);
    return { subject: about.subject, text: capital(reason) };
  }
  const move = /^Bot move: (?<reason>.+)$/s.exec(event.message)?.groups;
  if (move?.reason) return { text: t('move', { reason: translateReason(status, move.reason) }) };
  return { text: capital(translateReason(status, event.message)) };
}

/** Who did it. Those who aren't members, nobody can look up: the event itself has the name. */
export function doerOf(t: TFunction<'events'>, event: Event, people: ReadonlyMap<string, string>): string | undefined {
  if (!event.user_id) return undefined;
  const { operator, email } = (event.data ?? {}) as { operator?: string; email?: string };
  const member = people.get(event.user_id);
  if (member) return member;
  // The name at the end of a session is whose it was, and another operator may have ended it.
  if (event.kind === 'support.ended') return t('page.support');
  if (operator) return t('page.supporter', { name: operator });
  return event.kind === 'member.joined' && email ? email : t('page.somebody');
}

export function useEventText(): (event: Event) => EventText {
  const { t } = useTranslation('events');
  const { t: status } = useTranslation('status');
  return useCallback((event: Event) => eventText(t, status, event), [t, status]);
}
