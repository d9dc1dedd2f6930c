import type { Bot } from '@/api/resources';
import { matcher } from '@/search/match';
import { botTone, type Tone, toneOrder } from '@/status/tone';

export type StateGroup = 'attention' | 'running' | 'busy' | 'stopped';
export const stateGroups: StateGroup[] = ['attention', 'running', 'busy', 'stopped'];

const groupOf: Record<Tone, StateGroup> = {
  bad: 'attention',
  warn: 'attention',
  ok: 'running',
  busy: 'busy',
  off: 'stopped',
};

export const groupOfBot = (bot: Bot): StateGroup => groupOf[botTone[bot.status.state]];

export interface BotFilter {
  query?: string;
  state?: StateGroup;
  kind?: Bot['kind'];
}

/** The bots that match, the worst first and then by name. A bot matches by its own name or by that of its Worker. */
export function filterBots(
  bots: readonly Bot[],
  workerNames: ReadonlyMap<string, string>,
  { query = '', state, kind }: BotFilter,
  compare: (a: string, b: string) => number,
): Bot[] {
  const matches = matcher(query);
  return bots
    .filter(
      (bot) =>
        (!kind || bot.kind === kind) &&
        (!state || groupOfBot(bot) === state) &&
        matches(`${bot.name} ${workerNames.get(bot.worker_id) ?? ''}`),
    )
    .sort(
      (a, b) =>
        Math.min(2, toneOrder[botTone[a.status.state]]) - Math.min(2, toneOrder[botTone[b.status.state]]) ||
        compare(a.name, b.name),
    );
}

export function countGroups(bots: readonly Bot[]): Record<StateGroup, number> {
  const counts: Record<StateGroup, number> = { attention: 0, running: 0, busy: 0, stopped: 0 };
  for (const bot of bots) counts[groupOfBot(bot)]++;
  return counts;
}
